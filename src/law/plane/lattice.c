#include "law/plane/lattice.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/vmath.h"
#include "law/plane/domain.h"
#include "law/plane/tuning.h"

#define LEAST 1e-300 /* stands for nothing */
enum {
    MOST_TILES = 50000,
    MOST_IN_LINE = 1000000, /* points of the lattice across a patch */
    SIDE = 16,              /* points of the lattice, in either direction, that are spread together */
    PART = 128,             /* points of the grid, in either direction, that these may reach */
    WINDOW_STEP = 4,
    WINDOW = 40 /* points of the grid, in either direction, that a point is spread over at most */
};

/* ---- The grid ---- */

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

static enum status tile_at(struct grid *grid, const int64_t at[2], struct grid_tile **out, struct error *error)
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

static void grid_free(struct grid *grid)
{
    free(grid->tile);
    free(grid->slot);
}

static void grid_clear(struct grid *grid)
{
    grid->count = 0;
    if (grid->slots > 0)
        memset(grid->slot, 0, grid->slots * sizeof *grid->slot);
}

/* The tile that holds a point of the grid, and the place in it. */
static int64_t tile_of(int64_t at)
{
    return at >= 0 ? at / GRID_TILE : -((GRID_TILE - 1 - at) / GRID_TILE);
}

/* Where the grid is: its point i lies at spacing (i - origin) - shift relative to sqrt(A) m_anchor, A of the
 * reference before the stage. All anchors share it. */
struct grid_axis {
    int64_t origin;
    double shift;
};

static struct grid_axis axis_of(const struct lattice *lattice, size_t anchor, int i)
{
    const struct plane_transfer *transfer = lattice->transfer;
    double offset = transfer->from->root_alpha_bar * patches_offset(transfer->grid->factor, anchor, 0, i);
    double shift = remainder(offset, lattice->grid.spacing);
    return (struct grid_axis){llrint((offset - shift) / lattice->grid.spacing), shift};
}

/* ---- Points of the lattice ---- */

static double spacing_of(const struct plane_transfer *transfer, double density)
{
    return sqrt(transfer->stage.noise) / transfer->from->root_alpha_bar / density;
}

double lattice_size(const struct plane_transfer *transfer, const struct patch *patch, double density)
{
    double side = 2.0 * patch->half / spacing_of(transfer, density);
    return side * side;
}

void lattice_free(struct lattice *lattice)
{
    patches_free(&lattice->beyond);
    grid_free(&lattice->grid);
    for (size_t group = 0; group < LATTICE_GROUPS; group++)
        grid_free(&lattice->part[group]);
    free(lattice->piece);
    free(lattice->goal);
    *lattice = (struct lattice){0};
}

/* Points of the lattice that are spread together: images relative to sqrt(A) m_anchor, and the log of delta^2 q times
 * the constant factors of both kernels. */
struct cluster {
    size_t count;
    double image[2][SIDE * SIDE], log_mass[SIDE * SIDE];
};

/* Leaves out the points whose images no patch that goes by the lattice can see. false: an image is not finite. */
static bool drop_far(const struct lattice *lattice, size_t anchor, struct cluster *cluster)
{
    const struct plane_transfer *transfer = lattice->transfer;
    double shift[2];
    size_t kept = 0;
    for (int i = 0; i < 2; i++)
        shift[i] = transfer->from->root_alpha_bar * patches_offset(transfer->grid->factor, anchor, 0, i);
    for (size_t j = 0; j < cluster->count; j++) {
        bool inside = true;
        for (int i = 0; i < 2; i++) {
            double at = cluster->image[i][kept] = cluster->image[i][j];
            if (!isfinite(at))
                return false;
            inside &= at + shift[i] >= lattice->low[i] && at + shift[i] <= lattice->high[i];
        }
        cluster->log_mass[kept] = cluster->log_mass[j];
        kept += inside;
    }
    cluster->count = kept;
    return true;
}

/* The first point of the grid, in one coordinate, that an image is spread over, and the image relative to the last
 * one below it. */
static int64_t window_of(const struct lattice *lattice, const struct grid_axis *axis, double image, double *fraction)
{
    double at = (image + axis->shift) / lattice->grid.spacing, below = floor(at);
    *fraction = at - below;
    return (int64_t)below + axis->origin - ((int64_t)lattice->window / 2 - 1);
}

VECTOR_CLONES static void add_product(size_t window, double mass, const double *along, const double *across,
                                      double *out)
{
    for (size_t i = 0; i < window; i++) {
        double first = mass * along[i], *line = out + i * PART;
        for (size_t j = 0; j < window; j += WINDOW_STEP)
            for (size_t k = 0; k < WINDOW_STEP; k++)
                line[j + k] += first * across[j + k];
    }
}

/* exp(-a (k - c)^2) for k < window and c = m + f, as A G^k exp(-a (k - m)^2) with A = exp(-a f (f + 2 m)) and
 * G = exp(2 a f): the last is the same for all points. */
VECTOR_CLONES static void fill_window(size_t window, double first, double ratio, const double *middle, double *out)
{
    double power[WINDOW_STEP] = {first, first * ratio, first * (ratio * ratio), first * (ratio * ratio * ratio)},
           step = (ratio * ratio) * (ratio * ratio);
    for (size_t j = 0; j < window; j += WINDOW_STEP)
        for (size_t k = 0; k < WINDOW_STEP; k++) {
            out[j + k] = power[k] * middle[j + k];
            power[k] *= step;
        }
}

/* What some points are to the grid: values at `extent` points from `first` on. */
struct part {
    int64_t first[2], extent[2];
    double value[PART * PART];
};

static enum status add_part(struct grid *grid, const struct part *part, struct error *error)
{
    const int64_t *first = part->first, *extent = part->extent;
    int64_t at[2];
    for (at[0] = tile_of(first[0]); at[0] * GRID_TILE < first[0] + extent[0]; at[0]++)
        for (at[1] = tile_of(first[1]); at[1] * GRID_TILE < first[1] + extent[1]; at[1]++) {
            struct grid_tile *tile = NULL;
            TRY(tile_at(grid, at, &tile, error));
            int64_t corner[2] = {at[0] * GRID_TILE, at[1] * GRID_TILE}, from[2], to[2];
            for (int i = 0; i < 2; i++) {
                from[i] = first[i] > corner[i] ? first[i] : corner[i];
                to[i] = first[i] + extent[i] < corner[i] + GRID_TILE ? first[i] + extent[i] : corner[i] + GRID_TILE;
            }
            for (int64_t x = from[0]; x < to[0]; x++)
                for (int64_t y = from[1]; y < to[1]; y++)
                    tile->value[(x - corner[0]) * GRID_TILE + y - corner[1]] +=
                        part->value[(x - first[0]) * PART + y - first[1]];
        }
    return STATUS_OK;
}

/* Spreads points [from, from + count) of a cluster. false: their images lie too far apart for one part. */
static bool spread_points(const struct lattice *lattice, const struct grid_axis axis[2],
                          const struct cluster *cluster, size_t from, size_t count, struct part *out)
{
    int64_t *first = out->first, *extent = out->extent, last[2] = {INT64_MIN, INT64_MIN}, at[2][SIDE * SIDE];
    size_t window = lattice->window;
    double first_factor[2][SIDE * SIDE], ratio[2][SIDE * SIDE], factor[2][WINDOW], middle[WINDOW],
        mass[SIDE * SIDE] = {0.0};
    double before = (double)(window / 2 - 1),
           scale = -0.5 * lattice->grid.spacing * lattice->grid.spacing / lattice->spread;
    for (int i = 0; i < 2; i++) {
        first[i] = INT64_MAX;
        for (size_t j = 0; j < count; j++) {
            double fraction;
            at[i][j] = window_of(lattice, &axis[i], cluster->image[i][from + j], &fraction);
            first_factor[i][j] = scale * (fraction * (fraction + 2.0 * before));
            ratio[i][j] = -2.0 * scale * fraction;
            first[i] = at[i][j] < first[i] ? at[i][j] : first[i];
            last[i] = at[i][j] > last[i] ? at[i][j] : last[i];
        }
        extent[i] = last[i] - first[i] + (int64_t)window;
    }
    if (extent[0] > PART || extent[1] > PART)
        return false;
    for (int64_t x = 0; x < extent[0]; x++)
        memset(out->value + x * PART, 0, (size_t)extent[1] * sizeof *out->value);
    for (size_t j = 0; j < count; j++)
        mass[j] = cluster->log_mass[from + j] - lattice->reference;
    vexp(count, mass, mass);
    for (size_t k = 0; k < window; k++)
        middle[k] = scale * (((double)k - before) * ((double)k - before));
    vexp(window, middle, middle);
    for (int i = 0; i < 2; i++) {
        vexp(count, first_factor[i], first_factor[i]);
        vexp(count, ratio[i], ratio[i]);
    }
    for (size_t j = 0; j < count; j++) {
        for (int i = 0; i < 2; i++)
            fill_window(window, first_factor[i][j], ratio[i][j], middle, factor[i]);
        add_product(window, mass[j], factor[0], factor[1],
                    out->value + (at[0][j] - first[0]) * PART + at[1][j] - first[1]);
    }
    return true;
}

/* In halves what does not fit in one part; one point always does. */
static enum status spread_cluster(const struct lattice *lattice, const struct grid_axis axis[2],
                                  const struct cluster *cluster, size_t from, size_t count, struct grid *grid,
                                  struct error *error)
{
    struct part part;
    if (spread_points(lattice, axis, cluster, from, count, &part))
        return add_part(grid, &part, error);
    TRY(spread_cluster(lattice, axis, cluster, from, count / 2, grid, error));
    return spread_cluster(lattice, axis, cluster, from + count / 2, count - count / 2, grid, error);
}

/* The lattice's points in one direction of a patch: origin + spacing * (first + i), i < count, relative to the
 * anchor's mean. All patches share the lattice, whatever their anchors; it avoids the patches' sides. That which
 * checks it is moved by half a spacing in x and a quarter in y: the terms of the trapezoid rule's error, of
 * frequencies (k, l)/spacing, change by factors i^(2k + l), so that the difference of the two holds those of (1, 0),
 * (0, 1), (1, 1) and (1, -1) more than once. */
struct span {
    double origin, spacing, first;
    size_t count;
};

static struct span span_of(const struct lattice *lattice, const struct patch *patch, int i, double spacing)
{
    const struct plane_transfer *transfer = lattice->transfer;
    const double apart = 0.381966011 + (lattice->moved ? (i == 0 ? 0.5 : 0.25) : 0.0);
    double origin = apart * spacing - remainder(patches_offset(transfer->grid->factor, patch->anchor, 0, i), spacing);
    double from = ceil((patch->centre[i] - patch->half - origin) / spacing);
    double to = ceil((patch->centre[i] + patch->half - origin) / spacing);
    return (struct span){origin, spacing, from, to > from ? (size_t)fmin(to - from, MOST_IN_LINE + 1) : 0};
}

static double span_at(const struct span *span, size_t i)
{
    return span->origin + span->spacing * (span->first + (double)i);
}

/* At most SIDE by SIDE points of a patch. */
struct lattice_piece {
    const struct patch *patch;
    size_t start[2], count[2];
};

static void fill_cluster(const struct lattice *lattice, struct plane_thread *thread, double spacing,
                         const struct lattice_piece *piece, struct cluster *out)
{
    const struct plane_transfer *transfer = &thread->transfer;
    const struct patch *patch = piece->patch;
    const size_t *start = piece->start, *count = piece->count;
    struct plane_work *work = &thread->work;
    double root = transfer->from->root_alpha_bar, u[2][SIDE], local[2][SIDE];
    out->count = count[0] * count[1];
    for (int i = 0; i < 2; i++) {
        struct span span = span_of(lattice, patch, i, spacing);
        for (size_t j = 0; j < count[i]; j++) {
            u[i][j] = span_at(&span, start[i] + j);
            local[i][j] = (u[i][j] - patch->centre[i]) / patch->half;
        }
    }
    for (size_t j = 0; j < out->count; j++) {
        work->x[j] = root * u[0][j / count[1]];
        work->x[out->count + j] = root * u[1][j % count[1]];
    }
    plane_transfer_at(transfer, work, patch->anchor, out->count);
    patch_evaluate(patch, transfer->lobattos, count[0], local[0], count[1], local[1], work->log_ratio);
    double log_alpha = transfer->stage.moves ? transfer->stage.step->log_alpha : 0.0;
    double constant = 2.0 * log(root * spacing * lattice->grid.spacing) + log_alpha
                      - log(2.0 * M_PI * lattice->spread) - log(2.0 * M_PI * lattice->kept);
    for (size_t j = 0; j < out->count; j++) {
        out->image[0][j] = work->x[j] + work->increment[j];
        out->image[1][j] = work->x[out->count + j] + work->increment[out->count + j];
        out->log_mass[j] = work->log_density[j] + work->log_ratio[j] + constant;
    }
    work->node_updates += out->count;
}

static enum status add_pieces(struct lattice *lattice, const struct patch *patch, double spacing, struct error *error)
{
    struct lattice_piece next = {.patch = patch};
    size_t count[2];
    for (int i = 0; i < 2; i++)
        count[i] = span_of(lattice, patch, i, spacing).count;
    if (count[0] > MOST_IN_LINE || count[1] > MOST_IN_LINE)
        return fail_with(error, STATUS_NUMERIC, "a lattice in the plane has too many points: more than %d in a line",
                         (int)MOST_IN_LINE);
    for (next.start[0] = 0; next.start[0] < count[0]; next.start[0] += SIDE)
        for (next.start[1] = 0; next.start[1] < count[1]; next.start[1] += SIDE) {
            struct lattice_piece *piece =
                array_reserve(lattice->piece, &lattice->capacity, lattice->pieces + 1, sizeof *piece);
            if (piece == NULL)
                return fail_with(error, STATUS_MEMORY, "out of memory for a lattice in the plane");
            for (int i = 0; i < 2; i++)
                next.count[i] = count[i] - next.start[i] < SIDE ? count[i] - next.start[i] : SIDE;
            lattice->piece = piece;
            piece[lattice->pieces++] = next;
        }
    return STATUS_OK;
}

/* Spreads the pieces of one of LATTICE_GROUPS groups over a grid of its own. */
static enum status spread_group(struct lattice *lattice, struct plane_thread *thread, double spacing, size_t group,
                                struct error *error)
{
    struct grid *grid = &lattice->part[group];
    grid_clear(grid);
    for (size_t i = lattice->pieces * group / LATTICE_GROUPS; i < lattice->pieces * (group + 1) / LATTICE_GROUPS;
         i++) {
        const struct lattice_piece *piece = &lattice->piece[i];
        const struct grid_axis axis[2] = {axis_of(lattice, piece->patch->anchor, 0),
                                          axis_of(lattice, piece->patch->anchor, 1)};
        struct cluster cluster;
        fill_cluster(lattice, thread, spacing, piece, &cluster);
        if (!drop_far(lattice, piece->patch->anchor, &cluster))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite",
                             lattice->transfer->stage.sampler->name);
        if (cluster.count > 0)
            TRY(spread_cluster(lattice, axis, &cluster, 0, cluster.count, grid, error));
    }
    return STATUS_OK;
}

struct spreading {
    struct lattice *lattice;
    struct plane_thread *thread;
    double spacing;
    bool failed[LATTICE_GROUPS], *needed;
};

static void spread_one(void *context, size_t thread, size_t group)
{
    struct spreading *spreading = context;
    spreading->failed[group] =
        spread_group(spreading->lattice, &spreading->thread[thread], spreading->spacing, group, NULL) != STATUS_OK;
}

/* Spreads all pieces: groups in parallel, whose sum is taken in their order. */
static enum status spread_pieces(struct lattice *lattice, struct plane_thread *thread, struct team *team,
                                 double spacing, struct error *error)
{
    struct spreading spreading = {.lattice = lattice, .thread = thread, .spacing = spacing};
    team_for(team, LATTICE_GROUPS, spread_one, &spreading);
    for (size_t group = 0; group < LATTICE_GROUPS; group++) {
        if (spreading.failed[group]) /* again, for its reason */
            TRY(spread_group(lattice, thread, spacing, group, error));
        for (size_t i = 0; i < lattice->part[group].count; i++) {
            const struct grid_tile *from = &lattice->part[group].tile[i];
            struct grid_tile *to;
            TRY(tile_at(&lattice->grid, from->at, &to, error));
            for (size_t j = 0; j < GRID_TILE * GRID_TILE; j++)
                to->value[j] += from->value[j];
        }
    }
    return STATUS_OK;
}

/* ---- Which patches ---- */

/* Squares beyond the patches from where the noise can come. */
static enum status find_beyond(const struct plane_transfer *transfer, struct patches *beyond, struct error *error)
{
    double narrowest = HUGE_VAL;
    for (size_t k = 0; k < transfer->from->factor->components; k++)
        narrowest = fmin(narrowest, transfer->from->ellipse[k].narrow);
    double farther =
        PLANE_REACH + PLANE_BEYOND_REACH * fmin(sqrt(transfer->stage.noise) / narrowest, PLANE_BEYOND_NOISE);
    return patches_complement(transfer->grid, transfer->from, farther, PLANE_BEYOND_SIDE, beyond, error);
}

/* A box around where the map takes a patch, relative to sqrt(A) m_anchor: that of the images of a few points, and
 * half as much again on either side. */
static void image_of(const struct plane_transfer *transfer, struct plane_work *work, const struct patch *patch,
                     double low[2], double high[2])
{
    enum { POINTS = 4 };
    double root = transfer->from->root_alpha_bar;
    for (size_t j = 0; j < POINTS * POINTS; j++) {
        size_t at[2] = {j / POINTS, j % POINTS};
        for (int i = 0; i < 2; i++)
            work->x[(size_t)i * POINTS * POINTS + j] =
                root * (patch->centre[i] + patch->half * (2.0 * (double)at[i] / (POINTS - 1) - 1.0));
    }
    plane_transfer_at(transfer, work, patch->anchor, POINTS * POINTS);
    for (int i = 0; i < 2; i++) {
        low[i] = HUGE_VAL;
        high[i] = -HUGE_VAL;
        for (size_t j = 0; j < POINTS * POINTS; j++) {
            size_t at = (size_t)i * POINTS * POINTS + j;
            low[i] = fmin(low[i], work->x[at] + work->increment[at]);
            high[i] = fmax(high[i], work->x[at] + work->increment[at]);
        }
        double margin = 0.5 * (high[i] - low[i]);
        low[i] -= margin;
        high[i] += margin;
    }
}

/* Of those that log r is on, and beyond. */
static const struct patch *patch_of(const struct lattice *lattice, size_t p)
{
    const struct patches *grid = lattice->transfer->grid;
    return p < grid->count ? &grid->patch[p] : &lattice->beyond.patch[p - grid->count];
}

/* true if the noise can bring points of the patch to one that needs the lattice. */
static bool is_needed(const struct lattice *lattice, struct plane_thread *thread, const struct patch *patch)
{
    const struct plane_transfer *transfer = &thread->transfer;
    double low[2], high[2], root = transfer->from->root_alpha_bar,
                            reach = PLANE_LATTICE_REACH * sqrt(transfer->stage.noise);
    image_of(transfer, &thread->work, patch, low, high);
    for (size_t p = 0; p < lattice->goals; p++) {
        const struct patch *goal = lattice->goal[p];
        bool near = true;
        for (int i = 0; i < 2 && near; i++) {
            double at = root
                        * (goal->centre[i] + patches_offset(transfer->grid->factor, goal->anchor, patch->anchor, i)),
                   far = root * goal->half + reach;
            near = low[i] <= at + far && high[i] >= at - far;
        }
        if (near)
            return true;
    }
    return false;
}

/* Lists the patches that go by the lattice themselves, no image of them in their place. */
static enum status find_goals(const struct patches *filled, struct lattice *lattice, struct error *error)
{
    lattice->goals = 0;
    for (size_t p = 0; p < filled->count; p++) {
        const struct patch *patch = &filled->patch[p];
        if (!patch->by_lattice || plane_symmetry_stands_for(lattice->transfer->symmetry, patch) == 0)
            continue;
        const struct patch **goal =
            array_reserve(lattice->goal, &lattice->goal_capacity, lattice->goals + 1, sizeof *goal);
        if (goal == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a lattice in the plane");
        lattice->goal = goal;
        goal[lattice->goals++] = patch;
    }
    return STATUS_OK;
}

/* The box that holds them, and what the noise can bring there. */
static void find_box(struct lattice *lattice)
{
    const struct plane_transfer *transfer = lattice->transfer;
    double root = transfer->from->root_alpha_bar, reach = PLANE_LATTICE_REACH * sqrt(transfer->stage.noise);
    for (int i = 0; i < 2; i++) {
        lattice->low[i] = HUGE_VAL;
        lattice->high[i] = -HUGE_VAL;
        for (size_t p = 0; p < lattice->goals; p++) {
            const struct patch *patch = lattice->goal[p];
            double at = root * (patch->centre[i] + patches_offset(transfer->grid->factor, patch->anchor, 0, i)),
                   far = root * patch->half + reach;
            lattice->low[i] = fmin(lattice->low[i], at - far);
            lattice->high[i] = fmax(lattice->high[i], at + far);
        }
    }
}

static void find_needed(void *context, size_t thread, size_t p)
{
    struct spreading *spreading = context;
    const struct lattice *lattice = spreading->lattice;
    spreading->needed[p] = is_needed(lattice, &spreading->thread[thread], patch_of(lattice, p));
}

/* Lists the pieces of the patches, and squares beyond them, that count. */
static enum status find_pieces(struct lattice *lattice, struct plane_thread *thread, struct team *team,
                               double spacing, struct error *error)
{
    const struct patches *grid = lattice->transfer->grid;
    size_t count = grid->count + lattice->beyond.count;
    enum status status = STATUS_OK;
    bool *needed = array_new(count, sizeof *needed);
    if (needed == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches", count);
    struct spreading spreading = {.lattice = lattice, .thread = thread, .needed = needed};
    team_for(team, count, find_needed, &spreading);
    lattice->pieces = 0;
    for (size_t p = 0; p < count && status == STATUS_OK; p++)
        if (needed[p])
            status = add_pieces(lattice, patch_of(lattice, p), spacing, error);
    free(needed);
    return status;
}

enum status lattice_build(struct plane_thread *thread, struct team *team, const struct patches *filled,
                          double density, double tolerance, bool checks, struct lattice *lattice, struct error *error)
{
    const struct plane_transfer *transfer = &thread->transfer;
    double noise = transfer->stage.noise, spacing = spacing_of(transfer, density);
    lattice->transfer = transfer;
    lattice->moved = checks;
    lattice->spread = PLANE_SPREAD * noise;
    lattice->kept = (1.0 - PLANE_SPREAD) * noise;
    /* the grid's relative error at best and that of cutting the windows off are nothing beside the tolerance */
    double digits = -log(PLANE_GRID_SHARE * fmin(tolerance, 1.0)), denser = checks ? PLANE_GRID_FINER : 1.0;
    double in_sd = denser * sqrt(digits) / (sqrt(2.0) * M_PI), half = in_sd * denser * sqrt(2.0 * digits);
    lattice->grid.spacing = sqrt(PLANE_SPREAD * lattice->kept) / in_sd;
    lattice->window = (size_t)fmin(WINDOW_STEP * ceil(2.0 * half / WINDOW_STEP), WINDOW);
    lattice->reference = -HUGE_VAL;
    for (size_t k = 0; k < transfer->from->factor->components; k++)
        lattice->reference = fmax(lattice->reference, transfer->from->log_constant[k]);
    grid_clear(&lattice->grid);
    TRY(find_goals(filled, lattice, error));
    find_box(lattice);
    TRY(find_beyond(transfer, &lattice->beyond, error));
    TRY(find_pieces(lattice, thread, team, spacing, error));
    return spread_pieces(lattice, thread, team, spacing, error);
}

/* ---- The second kernel ---- */

/* [from, to): the nodes that a tile reaches. */
struct reach {
    size_t from, to;
};

/* The factors of the second kernel in one coordinate from the points of a tile to the nodes at[], in units of the
 * grid's spacing: out[node][point], or out[point][node] if `turned`. */
static struct reach fill_kernel(const struct lattice *lattice, int64_t tile, size_t n, const double *at, bool turned,
                                double *out)
{
    double first = (double)(tile * GRID_TILE),
           scale = -0.5 * lattice->grid.spacing * lattice->grid.spacing / lattice->kept,
           far = PLANE_LATTICE_REACH * sqrt(lattice->kept) / lattice->grid.spacing;
    struct reach reach = {n, 0};
    for (size_t i = 0; i < n; i++)
        if (at[i] > first - far && at[i] < first + GRID_TILE - 1.0 + far) {
            reach.from = reach.from < i ? reach.from : i;
            reach.to = i + 1;
        }
    for (size_t i = 0; i < (turned ? PATCH_MOST : n); i++)
        for (size_t j = 0; j < GRID_TILE; j++) {
            double gap = i < n ? first + (double)j - at[i] : 0.0;
            out[turned ? j * PATCH_MOST + i : i * GRID_TILE + j] = scale * (gap * gap);
        }
    vexp((turned ? PATCH_MOST : n) * GRID_TILE, out, out);
    return reach;
}

/* Adds one tile's values: total[i][j] += sum_gh x[i][g] value[g][h] y[h][j]. */
VECTOR_CLONES static void add_tile(const double *value, const struct reach *nodes, const double *x, const double *y,
                                   double *total)
{
    for (size_t i = nodes->from; i < nodes->to; i++) {
        double line[GRID_TILE] = {0.0}, *out = total + i * PATCH_MOST;
        for (size_t g = 0; g < GRID_TILE; g++) {
            double factor = x[i * GRID_TILE + g];
            for (size_t h = 0; h < GRID_TILE; h++)
                line[h] += factor * value[g * GRID_TILE + h];
        }
        for (size_t h = 0; h < GRID_TILE; h++)
            for (size_t j = 0; j < PATCH_MOST; j++)
                out[j] += line[h] * y[h * PATCH_MOST + j];
    }
}

void lattice_apply(const struct lattice *lattice, const struct plane_transfer *transfer, size_t anchor, size_t nx,
                   const double *x, size_t ny, const double *y, double *log_ratio, double *log_density)
{
    const double *const position[2] = {x, y};
    const size_t n[2] = {nx, ny};
    double total[PATCH_MOST * PATCH_MOST] = {0.0}, at[2 * PATCH_MOST * PATCH_MOST], place[2][PATCH_MOST];
    double factor[2][PATCH_MOST * GRID_TILE], root = transfer->from->root_alpha_bar,
                                              far = PLANE_LATTICE_REACH * sqrt(lattice->kept) / lattice->grid.spacing;
    int64_t first[2], last[2], tile[2];
    size_t points = nx * ny;
    for (size_t i = 0; i < points; i++) {
        at[i] = transfer->to->root_alpha_bar * x[i / ny];
        at[points + i] = transfer->to->root_alpha_bar * y[i % ny];
    }
    joint_level_evaluate(transfer->to, anchor, points, points, at, log_density, NULL);
    for (int i = 0; i < 2; i++) {
        struct grid_axis axis = axis_of(lattice, anchor, i);
        for (size_t j = 0; j < n[i]; j++)
            place[i][j] = (root * position[i][j] + axis.shift) / lattice->grid.spacing;
        int64_t low = (int64_t)floor(place[i][0] - far), high = (int64_t)ceil(place[i][n[i] - 1] + far);
        first[i] = tile_of(low + axis.origin);
        last[i] = tile_of(high + axis.origin);
        /* from here on relative to the first tile, which keeps the digits */
        for (size_t j = 0; j < n[i]; j++)
            place[i][j] += (double)(axis.origin - first[i] * GRID_TILE);
    }
    for (tile[0] = first[0]; tile[0] <= last[0]; tile[0]++) {
        struct reach nodes = fill_kernel(lattice, tile[0] - first[0], nx, place[0], false, factor[0]);
        for (tile[1] = first[1]; tile[1] <= last[1]; tile[1]++) {
            uint32_t found = lattice->grid.slots > 0 ? lattice->grid.slot[find_slot(&lattice->grid, tile)] : 0;
            if (found == 0)
                continue;
            (void)fill_kernel(lattice, tile[1] - first[1], ny, place[1], true, factor[1]);
            add_tile(lattice->grid.tile[found - 1].value, &nodes, factor[0], factor[1], total);
        }
    }
    for (size_t i = 0; i < points; i++) {
        double sum = fmax(total[i / ny * PATCH_MOST + i % ny], LEAST),
               log_scale = lattice->reference - log_density[i];
        log_ratio[i] = log_scale < 600.0 ? log(sum * exp(log_scale)) : log(sum) + log_scale;
    }
}
