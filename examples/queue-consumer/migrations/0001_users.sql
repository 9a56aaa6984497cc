create table users (id text primary key, email text, username text, email_sequence text not null) strict;
-- Every event that was applied, by its id.
create table seen_events (id text primary key, subject text not null, type text not null, sequence text not null) strict;
create index seen_events_subject on seen_events (subject, type);
