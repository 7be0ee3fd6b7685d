#include "law/plane/grid.h"

#include <string.h>

#include "core/memory.h"

enum { MOST_TILES = 50000 };

static size_t first_slot(const struct grid *grid, const int64_t at[2])
{
    uint64_t mixed = (uint64_t)at[0] * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)at[1] * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (size_t)(mixed >> 20) & (grid->slots - 1);
}

/* The slot of this tile, or the empty one where it belongs. */
static size_t find_slot(const struct grid *grid, const int64_t at[2])
{
    size_t slot = first_slot(grid, at);
    for (; grid->slot[slot] != 0; slot = (slot + 1) & (grid->slots - 1)) {
        const struct grid_tile *tile = &grid->tile[grid->slot[slot] - 1];
        if (tile->at[0] == at[0] && tile->at[1] == at[1])
            break;
    }
    return slot;
}

/* Twice as many slots, or the first ones. */
static enum status grow_slots(struct grid *grid, struct error *error)
{
    size_t slots = grid->slots > 0 ? 2 * grid->slots : 256;
    uint32_t *slot = array_new(slots, sizeof *slot);
    if (slot == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu tiles of a grid in the plane", slots);
    free(grid->slot);
    grid->slot = slot;
    grid->slots = slots;
    for (size_t i = 0; i < grid->count; i++)
        grid->slot[find_slot(grid, grid->tile[i].at)] = (uint32_t)i + 1;
    return STATUS_OK;
}

const struct grid_tile *grid_find(const struct grid *grid, const int64_t at[2])
{
    uint32_t found = grid->slots > 0 ? grid->slot[find_slot(grid, at)] : 0;
    return found > 0 ? &grid->tile[found - 1] : NULL;
}

enum status grid_tile_at(struct grid *grid, const int64_t at[2], struct grid_tile **out, struct error *error)
{
    if (2 * (grid->count + 1) > grid->slots)
        TRY(grow_slots(grid, error));
    size_t slot = find_slot(grid, at);
    if (grid->slot[slot] == 0) {
        struct grid_tile *grown = grid->count < MOST_TILES
                                      ? array_reserve(grid->tile, &grid->capacity, grid->count + 1, sizeof *grown)
                                      : NULL;
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a grid of more than %zu points in the plane",
                             grid->count * GRID_TILE * GRID_TILE);
        grid->tile = grown;
        memset(&grid->tile[grid->count], 0, sizeof *grown);
        memcpy(grid->tile[grid->count].at, at, sizeof grown->at);
        grid->slot[slot] = (uint32_t)++grid->count;
    }
    *out = &grid->tile[grid->slot[slot] - 1];
    return STATUS_OK;
}

void grid_free(struct grid *grid)
{
    free(grid->tile);
    free(grid->slot);
}

void grid_clear(struct grid *grid)
{
    grid->count = 0;
    if (grid->slots > 0)
        memset(grid->slot, 0, grid->slots * sizeof *grid->slot);
}

int64_t grid_tile_of(int64_t at)
{
    return at >= 0 ? at / GRID_TILE : -((GRID_TILE - 1 - at) / GRID_TILE);
}
