type Arrows = Readonly<Record<string, readonly string[]>>;
export const FEATURES: Arrows;
export const REALTIME_ROOMS: Arrows;
export const COMMON_ROOMS: Arrows;
export const FOUNDATIONS: readonly string[];
