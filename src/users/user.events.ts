/** Domain events of people, published inside this process after the commit. */

/** A person has a new name. `NameSweeper` then tells their chats. */
export class UserRenamed {
  constructor(readonly userId: number) {}
}
