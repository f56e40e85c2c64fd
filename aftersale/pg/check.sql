-- name: role
-- Everything that the connected role is, or can become by SET ROLE.
select
  coalesce(bool_or(r.rolsuper), false) is true as superuser,
  coalesce(bool_or(r.rolbypassrls), false) is true as bypasses_policies
from pg_roles r
where pg_has_role(session_user, r.oid, 'member') is true

-- name: owned
-- One thing of this database that the role owns; its temporary tables do not count.
select pg_describe_object(d.classid, d.objid, d.objsubid)
from pg_shdepend d
left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
where d.refclassid = 'pg_authid'::regclass
  and d.deptype = 'o'
  and (d.dbid = (select oid from pg_database where datname = current_database())
       or d.classid = 'pg_database'::regclass
          and d.objid = (select oid from pg_database where datname = current_database())) is true
  and pg_has_role(session_user, d.refobjid, 'member') is true
  and (c.relpersistence = 't') is not true
order by 1
limit 1

-- name: migrations_table
select to_regclass('public.django_migrations') is not null

-- name: applied
select app, name from django_migrations
