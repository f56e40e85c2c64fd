"""Texts that want to become code in a page, and the values that want to become money."""

import html
from collections.abc import Iterator
from urllib.parse import quote

MARK = "pwned"
CALL = f"window.{MARK}=1"
_DO = (CALL, f"top.{MARK}=1", f"self['{MARK}']=1", f"Function('window.{MARK}=1')()", "alert(1)")
_SHAPES = (
    "<script>{}</script>", "<ScRiPt>{}</sCrIpT>", "<script/x>{}</script >", "</script><script>{}</script>",
    "<script src='data:text/javascript,{}'></script>", "<script type=module>{}</script>",
    "<img src=x onerror=\"{}\">", "<img/src=x/onerror={}>", "<img src='x' onerror='{}' //", "<svg onload=\"{}\">",
    "<svg><script>{}</script></svg>", "<svg><animate onbegin='{}' attributeName=x dur=1s>", "<body onload=\"{}\">",
    "<iframe srcdoc=\"<script>{}</script>\">", "<iframe src=\"javascript:{}\">", "<object data=\"javascript:{}\">",
    "<embed src=\"javascript:{}\">", "<a href=\"javascript:{}\" autofocus onfocus=\"{}\">x</a>",
    "<input autofocus onfocus=\"{}\">", "<select autofocus onfocus=\"{}\">", "<details open ontoggle=\"{}\">",
    "<video><source onerror=\"{}\"></video>", "<audio src=x onerror=\"{}\">", "<marquee onstart=\"{}\">",
    "<math><mtext></p><script>{}</script>", "<style>@import 'javascript:{}';</style>",
    "<link rel=stylesheet href=\"javascript:{}\">", "<meta http-equiv=refresh content=\"0;url=javascript:{}\">",
    "<base href=\"javascript:{}//\">", "<form action=\"javascript:{}\"><button autofocus>x</button></form>",
    "\"><script>{}</script>", "'><script>{}</script>", "\" autofocus onfocus=\"{}\" x=\"", "' autofocus onfocus='{}' x='",
    "` autofocus onfocus=`{}` x=`", "--><script>{}</script><!--", "]]><script>{}</script>", "</title><script>{}</script>",
    "</textarea><script>{}</script>", "</style><script>{}</script>", "</option></select><script>{}</script>",
    "\" hx-on:load=\"{}\" x=\"", "<div hx-get=/queue hx-trigger=load hx-on::after-request=\"{}\">",
    "<div hx-on:htmx:load=\"{}\" hx-trigger='every 1s'>", "\" data-open=\"javascript:{}", "javascript:{}", "java\tscript:{}",
    "{{{{constructor.constructor('{}')()}}}}", "{{% include '{}' %}}", "${{{}}}", "<%= {} %>", "\\\"};{};//", "';{};//",
    "\";{};//", "`;{};//", "\u2028{}\u2029", "<x onclick=\"{}\" onmouseover=\"{}\">x", "<template><script>{}</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror={}>\">", "\u202e<script>{}</script>", "＜script＞{}＜/script＞",
)  # fmt: skip


def _texts() -> Iterator[str]:
    for shape in _SHAPES:
        for call in _DO:
            yield (
                shape.replace("{{", "\0")
                .replace("}}", "\1")
                .replace("{}", call)
                .replace("\0", "{")
                .replace("\1", "}")
            )
    for shape in _SHAPES:
        plain = shape.replace("{{", "{").replace("}}", "}").replace("{}", CALL)
        yield from (
            html.escape(plain),
            quote(plain),
            plain.replace("<", "\\u003c"),
            plain.replace("<", "&#60;"),
        )


XSS = tuple(dict.fromkeys(_texts()))

MONEY = (
    "", " ", "-1", "-0", "0.005", "1e3", "１００", "٣", "NaN", "nan", "Infinity", "-Infinity", "2147483648.5",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "1" * 400, "1,000", "1 000", "+1", "0x10",
    "0b1", "1_000", "¥1", "1元", "USD 1", "1.0", "1.", ".5", "true", "null", "[]", "{}", "' OR 1=1 --", "1;DROP TABLE ledger",
    "%31", "1\n2", "²", "½", "一百",
)  # fmt: skip
"""What no money field takes, §3.4."""
