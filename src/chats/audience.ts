/**
 * Who receives a message or an event of a chat: the ids of the members if they are few, else the version of their list
 * in `MemberListCache`.
 */
export interface Audience {
  /** The `change_seq` of the last change of membership. A cached list of this version or a later one is right. */
  readonly members_seq: number;
  /** The ids of all members; null when they are many. */
  readonly member_ids: readonly number[] | null;
}

/**
 * With more members than this, the ids aren't read with each message but kept in `MemberListCache`. `append_messages`
 * has the same bound.
 */
const FEW = 300;

/** SQL: the ids of the members of the chat `c` if they are few, else null. */
export const FEW_MEMBER_IDS = `
  CASE WHEN coalesce((SELECT g.member_count FROM groups g WHERE g.chat_id = c.id LIMIT 1), 2) <= ${FEW}
    THEN array(SELECT m.user_id FROM chat_members m WHERE m.chat_id = c.id) END`;
