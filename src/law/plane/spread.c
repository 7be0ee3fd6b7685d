#include "law/plane/spread.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"

enum {
    MOST_IN_LINE = 1000000, /* points of the lattice across a patch */
    SIDE = 16,              /* points of the lattice, in either direction, that are spread together */
    PART = 128              /* points of the grid, in either direction, that these may reach */
};

struct grid_axis lattice_axis(const struct lattice *lattice, size_t anchor, int i)
{
    const struct plane_transfer *transfer = lattice->transfer;
    double offset = transfer->from->root_alpha_bar * patches_offset(transfer->grid->factor, anchor, 0, i);
    double shift = remainder(offset, lattice->grid.spacing);
    return (struct grid_axis){llrint((offset - shift) / lattice->grid.spacing), shift};
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

VECTOR_CLONES static void add_product(size_t window, double mass, const double *restrict along,
                                      const double *restrict across, double *restrict out)
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
VECTOR_CLONES static void fill_window(size_t window, double first, double ratio, const double *restrict middle,
                                      double *restrict out)
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
    for (at[0] = grid_tile_of(first[0]); at[0] * GRID_TILE < first[0] + extent[0]; at[0]++)
        for (at[1] = grid_tile_of(first[1]); at[1] * GRID_TILE < first[1] + extent[1]; at[1]++) {
            struct grid_tile *tile = NULL;
            TRY(grid_tile_at(grid, at, &tile, error));
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
    double first_factor[2][SIDE * SIDE], ratio[2][SIDE * SIDE], factor[2][MOST_WINDOW], middle[MOST_WINDOW],
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

enum status lattice_add_pieces(struct lattice *lattice, const struct patch *patch, double spacing,
                               struct error *error)
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
        const struct grid_axis axis[2] = {lattice_axis(lattice, piece->patch->anchor, 0),
                                          lattice_axis(lattice, piece->patch->anchor, 1)};
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
    bool failed[LATTICE_GROUPS];
};

static void spread_one(void *context, size_t thread, size_t group)
{
    struct spreading *spreading = context;
    spreading->failed[group] =
        spread_group(spreading->lattice, &spreading->thread[thread], spreading->spacing, group, NULL) != STATUS_OK;
}

/* Groups in parallel, whose sum is taken in their order. */
enum status lattice_spread(struct lattice *lattice, struct plane_thread *thread, struct team *team, double spacing,
                           struct error *error)
{
    struct spreading spreading = {.lattice = lattice, .thread = thread, .spacing = spacing};
    team_for(team, LATTICE_GROUPS, spread_one, &spreading);
    for (size_t group = 0; group < LATTICE_GROUPS; group++) {
        if (spreading.failed[group]) /* again, for its reason */
            TRY(spread_group(lattice, thread, spacing, group, error));
        for (size_t i = 0; i < lattice->part[group].count; i++) {
            const struct grid_tile *from = &lattice->part[group].tile[i];
            struct grid_tile *to;
            TRY(grid_tile_at(&lattice->grid, from->at, &to, error));
            for (size_t j = 0; j < GRID_TILE * GRID_TILE; j++)
                to->value[j] += from->value[j];
        }
    }
    return STATUS_OK;
}
