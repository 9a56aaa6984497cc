import { busyAdmin, busyUser } from './fill.ts';

/** A list of the admin API. */
export interface List {
  readonly path: string;
  /** The rows of it, and what it is sorted by: another way to say what the query of the service has to find. */
  readonly from: string;
  readonly order: string;
  /** The cursor that stands for a row, in SQL; what it is sorted by unless told. */
  readonly cursor?: string;
}

const newest = 'id desc';
const users = (query: string, where: string): List => ({
  path: `/admin/users?${query}`,
  from: `users where ${where}`,
  order: 'created_at desc, id desc',
  cursor: "(extract(epoch from created_at) * 1000)::bigint || '_' || id",
});
const audit = (query: string, where: string): List => ({
  path: `/admin/audit?${query}`,
  from: `audit_log where ${where}`,
  order: newest,
});
const has = (role: string) => `roles @> '{${role}}'`;
/**
 * Every list, by every filter, alone and together.
 * @param time ISO 8601, in the middle of all that was created
 */
export function lists(time: string): List[] {
  const after = `uuid_extract_timestamp(id) >= '${time}'`;
  const created = `created_at >= '${time}'`;
  return [
    users('', 'true'),
    users('status=active', "status = 'active'"),
    users('status=disabled', "status = 'disabled'"),
    users('role=user', has('user')),
    users('role=editor', has('editor')),
    users('role=rare', has('rare')),
    users('role=beta', has('beta')),
    users('status=active&role=user', `status = 'active' and ${has('user')}`),
    users('status=disabled&role=editor', `status = 'disabled' and ${has('editor')}`),
    users('status=active&role=beta', `status = 'active' and ${has('beta')}`),
    users('status=disabled&role=rare', `status = 'disabled' and ${has('rare')}`),
    users(`created_from=${time}`, created),
    users(`created_to=${time}`, `not ${created}`),
    users(`created_from=${time}&status=active&role=editor`, `${created} and status = 'active' and ${has('editor')}`),
    {
      path: '/admin/users?username=user',
      from: "users where username_key like 'user%'",
      order: 'username_key collate "C"',
    },
    {
      path: '/admin/users?username=usera',
      from: "users where username_key like 'usera%'",
      order: 'username_key collate "C"',
    },
    { path: `/admin/users/${busyUser}/sessions?`, from: `sessions where user_id = '${busyUser}'`, order: newest },
    { path: `/admin/users/${busyUser}/activity?`, from: `audit_log where user_id = '${busyUser}'`, order: newest },
    audit('', 'true'),
    audit(`user=${busyUser}`, `user_id = '${busyUser}'`),
    audit(`actor=${busyAdmin}`, `actor_id = '${busyAdmin}'`),
    audit('type=login', "type = 'login'"),
    audit('type=user_disabled', "type = 'user_disabled'"),
    audit('result=failure', "result = 'failure'"),
    audit('result=success', "result = 'success'"),
    audit(
      `user=${busyUser}&type=user_disabled&result=failure`,
      `user_id = '${busyUser}' and type = 'user_disabled' and result = 'failure'`,
    ),
    audit(`from=${time}`, after),
    audit(`to=${time}`, `not ${after}`),
  ];
}
