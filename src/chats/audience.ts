/** Whom a message or an event of a chat concerns: the members if they are few, else what their cached list is kept by. */
export interface Audience {
  /** The `change_seq` of the last change of who is a member: a cached list as of this, or later, is right. */
  readonly members_seq: number;
  /** Null when they are many. */
  readonly member_ids: readonly number[] | null;
}

/** Beyond so many members the list isn't read with each message; `MemberListCache` keeps it. `append_messages` has the same bound. */
const FEW = 300;

/** SQL: the ids of the members of the chat `c` if they are few, else null. */
export const FEW_MEMBER_IDS = `
  CASE WHEN coalesce((SELECT g.member_count FROM groups g WHERE g.chat_id = c.id LIMIT 1), 2) <= ${FEW}
    THEN array(SELECT m.user_id FROM chat_members m WHERE m.chat_id = c.id) END`;
