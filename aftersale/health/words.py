"""What each finding says and what to do about it, in Chinese and in English; docs/operation.md tells more of each code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """Sentences with the finding's values in {braces}."""

    what: str
    do: str
    what_en: str
    do_en: str


_LOG = ("看工作进程的日志；一直这样就重启它", "see the worker's log; restart it if it stays so")
_START = ("启动 aftersale work，或只启动这一段：aftersale work --only {stage}",
          "start `aftersale work`, or this stage alone: `aftersale work --only {stage}`")  # fmt: skip
_WAITS = {
    "arrival": ("收到的推送没有人读", "pushes wait to be read"),
    "look": ("到点要判断的售后单没有人判断", "cases wait to be decided"),
    "fetch": ("要向平台取的单没有人取", "objects wait to be fetched"),
    "pull": ("到点要拉取的店铺没有人拉", "shops wait to be pulled"),
    "intent": ("同意了的动作没有人发", "approved actions wait to be sent"),
    "job": ("导入、导出等任务没有人做", "jobs (imports, exports, bulk) wait to be done"),
}

SAID = {
    "database_away": Told(
        "数据库没有回应", "看数据库的日志和磁盘；已经收到的不会丢，推送会重发",
        "PostgreSQL does not answer", "see its log and its disk; nothing is lost meanwhile, pushes come again",
    ),
    "no_worker": Told(
        "没有工作进程在运行：不判断、不退款、不拉取", "启动 aftersale work",
        "no worker is alive: nothing is decided, sent or pulled", "start `aftersale work`",
    ),
    "worker_stuck": Told(
        "工作进程的 {stage} 一轮做得太久", "90 秒后它会自己退出、由看护它的程序重启；原因在它的日志里",
        "stage {stage} of a worker has been in one turn for long", "its watchdog ends it after 90 s; its log says why",
    ),
    "worker_gone": Told(
        "一个工作进程的 {stage} 不见了，其他的还在", "不是您停的，就看看护它的程序（systemd 等）",
        "stage {stage} of a worker is gone, others live", "unless you stopped it, see its supervisor",
    ),
    **{f"idle_{kind}": Told(f"{zh}，工作进程却还在", _LOG[0], f"{en} though a worker lives", _LOG[1])
       for kind, (zh, en) in _WAITS.items()},
    **{f"unserved_{kind}": Told(f"{zh}：没有工作进程管这一段", _START[0], f"{en} and no worker does that", _START[1])
       for kind, (zh, en) in _WAITS.items()},
    "unknown_old": Told(
        "{n} 个发出的动作还不知道结果", "系统会一直向平台核对；先看平台或快递接口是否正常，再打开售后单",
        "{n} sent actions have no known outcome", "the platform is asked on and on; see whether it or the courier has trouble",
    ),
    "breaker_open": Told(
        "{shop} 的自动付款停了：{why}", "查清原因，再到「总闸」页恢复；期间人工照常退款，被拦下的在队列里，写着「自动付款已停，由人退款」",
        "{shop} stopped automatic payment by itself ({reason})",
        "find out why, then release it on the switches page; people go on refunding, what is held back is in their queue",
    ),
    "breaker_shop": Told(
        "{shop} 什么都不发：{why}", "重新授权后，到「总闸」页恢复这家店",
        "{shop} sends nothing ({reason})", "authorise the shop again, then release it on the switches page",
    ),
    "differences_open": Told(
        "{n} 单退款和平台对不上", "到「资金」页逐单查清、写明结果；或先重新核对：aftersale ledger reconcile",
        "{n} refunds differ from the platform's ledger",
        "resolve them one by one on the money page; compare anew: `aftersale ledger reconcile`",
    ),
    "ledger_uncompared": Told(
        "{n} 家店 36 小时没有和平台对账", "执行 aftersale ledger reconcile，它会说为什么不行",
        "{n} shops were not compared with the platform's ledger for 36 hours",
        "run `aftersale ledger reconcile`, it says what keeps it",
    ),
    "copy_unaccepted": Told(
        "这个数据库是恢复或复制来的，什么都不发", "确认另一个已经停用，再执行 aftersale instance accept",
        "this database is a copy; nothing is sent",
        "if it shall work from now on and the other one is off: `aftersale instance accept`",
    ),
    "reconcile_only": Told(
        "恢复或停顿之后只核对、不发送", "等它核对完；一直不完，就是有店铺的平台问不到，多半是授权失效",
        "after a restore or a silence only questions are sent",
        "wait: everything under way is asked about first; a shop that cannot be asked holds it up",
    ),
    "disk_low": Told(
        "数据库所在的磁盘只剩 {free} GiB", "腾出空间；写满会停下一切，但不丢数据",
        "{free} GiB are free for the database", "free some space; a full disk stops everything and loses nothing",
    ),
    "long_transaction": Told(
        "有一个事务开了很久，挡着数据库清理", "在 pg_stat_activity 里找到它并结束",
        "a transaction of ours has been open for long, vacuum waits behind it", "find it in pg_stat_activity and end it",
    ),
    "backup_lost": Told(
        "一份备份落后太多，丢了中间的变动", "对那个目录再做一次 aftersale backup",
        "a backup fell too far behind and lost changes", "run `aftersale backup` into that folder again",
    ),
    "backup_behind": Told(
        "有一份备份一直没有来取变动，数据库替它留着", "执行 aftersale backup；目录已经不用了，就删掉它的复制槽",
        "the server keeps many changes for a backup that does not fetch them",
        "run `aftersale backup`, or drop the slot of a folder that is gone",
    ),
    "no_backup": Told(
        "没有备份", "每天执行 aftersale backup 目录；自己的数据库请归档 WAL",
        "no backup is known", "run `aftersale backup DIR` every day, or archive the WAL",
    ),
    "backup_old": Told("最近的备份太旧", "执行 aftersale backup", "the last backup is old", "run `aftersale backup`"),
    "deadlines_missed": Told(
        "一天之内误了 {n} 个期限", "每张售后单的时间线写着原因",
        "{n} deadlines were missed within a day", "the timeline of each case says what kept it",
    ),
    "deadlines_at_risk": Told(
        "队列里有 {n} 单半小时内到期", "队列加人",
        "{n} cases in queues are due within 30 minutes", "more people for the queues",
    ),
    "parked": Told(
        "{n} 份收到的内容看不懂，没有进系统", "SELECT source, place, why FROM parked WHERE resolved_at IS NULL",
        "{n} pieces of input could not be understood and changed nothing",
        "`SELECT source, place, why FROM parked WHERE resolved_at IS NULL`",
    ),
    "stopped": Told(
        "有人停了 {n} 个开关", "在「总闸」页",
        "{n} switches are thrown by people", "see the switches page",
    ),
}  # fmt: skip
