import { Baseline1795734000000 } from '../../migrations/1795734000000-Baseline.js';

/** All migrations, oldest first. Named one by one: a glob would have to know whether it runs from source or from dist. */
export const migrations = [Baseline1795734000000];

/** The name under which a database has stored the baseline; another text of the baseline has another name. */
export const baselineName = new Baseline1795734000000().name;
