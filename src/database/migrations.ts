import { Baseline1795734000000 } from '../../migrations/1795734000000-Baseline.js';

/** All migrations, oldest first. They are listed one by one, because a glob differs between the sources and dist. */
export const migrations = [Baseline1795734000000];

/** The baseline's name in the table `migrations`. It has a hash of the SQL, so an edited baseline has another name. */
export const baselineName = new Baseline1795734000000().name;
