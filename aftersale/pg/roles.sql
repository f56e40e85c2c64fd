-- The owner makes and owns everything, the application owns nothing and is nothing special.
-- {…} are identifiers and literals, composed by psycopg.sql.

-- name: exists
select exists (select from pg_roles where rolname = %(role)s)

-- name: create
create role {role} login

-- name: define
alter role {role} with login nosuperuser nobypassrls nocreaterole nocreatedb noreplication
  password {password}

-- name: create_people
create role {people} nologin nosuperuser nobypassrls nocreaterole nocreatedb noreplication

-- name: may_become
select pg_has_role(%(app)s, %(people)s, 'member') is true

-- name: become_people
-- Without NOINHERIT the application would be behind the wall all the time.
alter role {app} noinherit;
grant {people} to {app}

-- name: database_exists
select exists (select from pg_database where datname = %(name)s)

-- name: create_database
create database {name} owner {owner} template template0 encoding 'UTF8'

-- name: is_owner
select pg_has_role(d.datdba, 'usage') is true from pg_database d where d.datname = current_database()

-- name: close
revoke all on database {database} from public

-- name: close_schema
revoke create on schema public from public

-- name: admit
grant connect, temporary on database {database} to {app}

-- name: admit_schema
grant usage on schema public to {app}

-- name: tables
alter default privileges in schema public grant select, insert, update, delete on tables to {app}

-- name: sequences
alter default privileges in schema public grant usage, select on sequences to {app}
