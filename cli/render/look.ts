import type { Colors } from 'picocolors/types';

/** How to draw: everything a rendering depends on besides the report itself, so that renderings are pure. */
export interface Look {
  /** Columns to fill at most. */
  width: number;
  /** Rows to fill at most; without it a rendering is as long as it needs to be. */
  height?: number;
  /** Paints text, or leaves it alone where colours are off. */
  colors: Colors;
  /** Epoch milliseconds; drives elapsed times and the spinner. */
  now: number;
}

/** Wider lines than this are hard to read, however wide the terminal is. */
export const WIDEST = 120;
