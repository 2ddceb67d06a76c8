import { Column, CreateDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';

// The entities of the baseline (main.ts). TypeORM creates the tables from them.

@Entity('chats')
export class Chat {
  @PrimaryGeneratedColumn()
  id: number;

  @Column({ default: 0 })
  last_seq: number;
}

@Entity('chat_members')
export class ChatMember {
  @PrimaryColumn()
  chat_id: number;

  @PrimaryColumn()
  user_id: number;
}

@Entity('messages')
@Unique(['chat_id', 'client_message_id'])
@Unique(['chat_id', 'seq'])
export class Message {
  @PrimaryGeneratedColumn()
  id: number;

  @Column()
  chat_id: number;

  @Column()
  sender_id: number;

  @Column('text')
  text: string;

  @CreateDateColumn()
  timestamp: Date;

  @Column({ default: false })
  is_read: boolean;

  @Column({ length: 64 })
  client_message_id: string;

  @Column()
  seq: number;

  @Column('int', { nullable: true })
  change_seq: number | null;

  @Column('int', { nullable: true })
  reply_to_id: number | null;

  @Column('timestamp', { nullable: true })
  edited_at: Date | null;

  @Column('timestamp', { nullable: true })
  deleted_at: Date | null;
}
