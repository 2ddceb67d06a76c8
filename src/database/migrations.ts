import { AppendMessages1795316400000 } from '../../migrations/1795316400000-AppendMessages.js';
import { Blocks1795662000000 } from '../../migrations/1795662000000-Blocks.js';
import { ChatChanges1795575600000 } from '../../migrations/1795575600000-ChatChanges.js';
import { ChangedMessages1795402800000 } from '../../migrations/1795402800000-ChangedMessages.js';
import { InitialSchema1795312800000 } from '../../migrations/1795312800000-InitialSchema.js';
import { Leaving1795748400000 } from '../../migrations/1795748400000-Leaving.js';
import { ReadMarks1795489200000 } from '../../migrations/1795489200000-ReadMarks.js';
import { Sessions1795323600000 } from '../../migrations/1795323600000-Sessions.js';

/** All migrations, oldest first. Named one by one: a glob would have to know whether it runs from source or from dist. */
export const migrations = [
  InitialSchema1795312800000,
  AppendMessages1795316400000,
  Sessions1795323600000,
  ChangedMessages1795402800000,
  ReadMarks1795489200000,
  ChatChanges1795575600000,
  Blocks1795662000000,
  Leaving1795748400000,
];
