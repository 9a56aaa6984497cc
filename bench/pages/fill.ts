/** Whose sessions and activity are long, and who did much as an admin. */
export const busyUser = '01900000-0000-7000-8000-000000000001';
export const busyAdmin = '01900000-0000-7000-8000-000000000002';

/**
 * So many users, a second apart, one in three with an id of another system, which tells no time; one in five disabled. Of
 * roles one that all have, one that one in seven has, one that one in a thousand has, and one that the oldest three in a
 * hundred have. A session of each, and 30,000 more of one user. Twice as many rows of the audit log as users, one in 13
 * about each of the two above.
 * Sealed columns are empty, since only the service can fill them; the hash is as long as a real one, so that a page of
 * the table holds as many rows as it would.
 */
export const fill = (people: number): string => `
  insert into users (id, username, username_key, email_index, password_hash, status, roles, created_at, updated_at)
    select case n when 1 then '${busyUser}'::uuid when 2 then '${busyAdmin}'::uuid
        else case when n % 3 = 0 then gen_random_uuid() else uuidv7(make_interval(secs => n - ${people})) end end,
      'user' || md5(n::text), 'user' || md5(n::text), md5('email' || n) || 'abcdefghijk', repeat('x', 180),
      case when n % 5 = 0 then 'disabled' else 'active' end,
      case when n % 1000 = 0 then '{rare,user}' when n % 7 = 0 then '{editor,user}'
        when n < ${people} * 0.03 then '{beta,user}' else '{user}' end::text[],
      now() + make_interval(secs => n - ${people}), now()
    from generate_series(1, ${people}) n;
  insert into sessions (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at)
    select uuidv7(make_interval(secs => n - ${people})), id, 'first-party', 'account', 0, now(), now(), now(),
      now() + interval '30 days'
    from (select id, row_number() over () as n from users union all
      select '${busyUser}', n * ${people / 30_000} from generate_series(1, 30000) n) as each;
  insert into audit_log (id, type, result, user_id, actor_id, created_at)
    select uuidv7(make_interval(secs => n - ${people * 2})), case when n % 10 = 0 then 'user_disabled' else 'login' end,
      case when n % 20 = 0 then 'failure' else 'success' end,
      case when n % 13 = 0 then '${busyUser}'::uuid else gen_random_uuid() end,
      case when n % 13 = 1 then '${busyAdmin}'::uuid end, now()
    from generate_series(1, ${people * 2}) n;`;
