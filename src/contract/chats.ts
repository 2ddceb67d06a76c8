/** Chats and their members. Types only: clients copy this folder as it is. */
import type { Message } from './messages.js';
import type { User } from './users.js';

/** A private chat is of two people, or of one with themselves (notes); a group has any number of members. */
export type ChatType = 'private' | 'group';

/** The role of a member in a chat. In a private chat all are members. */
export type Role = 'owner' | 'admin' | 'member';

/** A chat as one member sees it. */
export interface Chat {
  id: number;
  type: ChatType;
  /** A private chat has the name of its `peer`. */
  name: string;
  /** The other person of a private chat, and oneself in a chat with oneself; null in a group. */
  peer: User | null;
  creator_id: number;
  created_at: string;
  member_count: number;
  my_role: Role;
  /** The `seq` of the newest message; 0 in an empty chat. */
  last_seq: number;
  /** The newest `change_seq`. */
  last_change_seq: number;
  /** The caller's cursor: they have read all messages up to this `seq`. */
  last_read_seq: number;
  /** The smallest cursor: everybody has read all messages up to this `seq`. */
  read_by_all_seq: number;
  /** `last_seq - last_read_seq`. */
  unread_count: number;
  last_message: Message | null;
  /** For `?before=` of the next page of chats; opaque. */
  activity_cursor: string;
}

/** A group that was just made. */
export interface NewGroup extends Chat {
  /**
   * Whom the caller named and can't add: they have blocked the caller, don't allow it, or are in too many chats. Only
   * when there is somebody.
   */
  left_out_ids?: number[];
}

/** A new name of a group, with the other fields that are the same for all members. */
export interface ChatSummary extends Pick<Chat, 'id' | 'name' | 'creator_id' | 'member_count'> {
  /** The number of the change. */
  change_seq: number;
}

/** A member of a chat. */
export interface Member {
  user_id: number;
  name: string;
  role: Role;
  joined_at: string;
  /** The member's cursor: they have read all messages up to this `seq`. */
  last_read_seq: number;
}

/** A member of a chat has changed. */
export interface MemberChange {
  chat_id: number;
  /** The number of the change. */
  change_seq: number;
  member: Member;
}

/** A member of a group has come or gone. */
export interface MembershipChange extends MemberChange {
  /** How many members the group has now. */
  member_count: number;
}

/** A chat with its first 100 members. */
export interface ChatWithMembers extends Chat {
  members: Member[];
}

/** A chat that the caller is in, as the export of an account lists it. */
export interface Membership {
  chat_id: number;
  type: ChatType;
  name: string;
  role: Role;
  joined_at: string;
  last_read_seq: number;
}
