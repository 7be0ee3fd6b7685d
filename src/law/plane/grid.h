/* A regular grid of numbers in the plane, of which only the square tiles exist that something is in, found by a hash
 * table. */
#ifndef LAW_PLANE_GRID_H
#define LAW_PLANE_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum { GRID_TILE = 32 /* points, in either direction, that are stored together */ };

struct grid_tile {
    int64_t at[2];
    double value[GRID_TILE * GRID_TILE]; /* [x][y] */
};

struct grid {
    double spacing;
    struct grid_tile *tile;
    size_t count, capacity;
    uint32_t *slot; /* index + 1, or 0 */
    size_t slots;   /* a power of two */
};

/* Which tile holds a point, in one coordinate. */
int64_t grid_tile_of(int64_t point);

/* The tile at this place, of zeros if it is new. Others move then. Errors: STATUS_MEMORY. */
MUST_USE enum status grid_tile_at(struct grid *grid, const int64_t at[2], struct grid_tile **out,
                                  struct error *error);
/* NULL: there is none. */
const struct grid_tile *grid_find(const struct grid *grid, const int64_t at[2]);

/* Leaves no tile, and keeps the storage. */
void grid_clear(struct grid *grid);
void grid_free(struct grid *grid);

#endif
