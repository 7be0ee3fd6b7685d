#include "law/plane/lattice.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/vmath.h"
#include "law/plane/domain.h"
#include "law/plane/spread.h"
#include "law/plane/tuning.h"

#define LEAST 1e-300 /* stands for nothing */

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

struct finding {
    const struct lattice *lattice;
    struct plane_thread *thread;
    bool *needed;
};

static void find_needed(void *context, size_t thread, size_t p)
{
    struct finding *finding = context;
    finding->needed[p] = is_needed(finding->lattice, &finding->thread[thread], patch_of(finding->lattice, p));
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
    struct finding finding = {lattice, thread, needed};
    team_for(team, count, find_needed, &finding);
    lattice->pieces = 0;
    for (size_t p = 0; p < count && status == STATUS_OK; p++)
        if (needed[p])
            status = lattice_add_pieces(lattice, patch_of(lattice, p), spacing, error);
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
    lattice->window = (size_t)fmin(WINDOW_STEP * ceil(2.0 * half / WINDOW_STEP), MOST_WINDOW);
    lattice->reference = -HUGE_VAL;
    for (size_t k = 0; k < transfer->from->factor->components; k++)
        lattice->reference = fmax(lattice->reference, transfer->from->log_constant[k]);
    grid_clear(&lattice->grid);
    TRY(find_goals(filled, lattice, error));
    find_box(lattice);
    TRY(find_beyond(transfer, &lattice->beyond, error));
    TRY(find_pieces(lattice, thread, team, spacing, error));
    return lattice_spread(lattice, thread, team, spacing, error);
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
        struct grid_axis axis = lattice_axis(lattice, anchor, i);
        for (size_t j = 0; j < n[i]; j++)
            place[i][j] = (root * position[i][j] + axis.shift) / lattice->grid.spacing;
        int64_t low = (int64_t)floor(place[i][0] - far), high = (int64_t)ceil(place[i][n[i] - 1] + far);
        first[i] = grid_tile_of(low + axis.origin);
        last[i] = grid_tile_of(high + axis.origin);
        /* from here on relative to the first tile, which keeps the digits */
        for (size_t j = 0; j < n[i]; j++)
            place[i][j] += (double)(axis.origin - first[i] * GRID_TILE);
    }
    for (tile[0] = first[0]; tile[0] <= last[0]; tile[0]++) {
        struct reach nodes = fill_kernel(lattice, tile[0] - first[0], nx, place[0], false, factor[0]);
        for (tile[1] = first[1]; tile[1] <= last[1]; tile[1]++) {
            const struct grid_tile *found = grid_find(&lattice->grid, tile);
            if (found == NULL)
                continue;
            (void)fill_kernel(lattice, tile[1] - first[1], ny, place[1], true, factor[1]);
            add_tile(found->value, &nodes, factor[0], factor[1], total);
        }
    }
    for (size_t i = 0; i < points; i++) {
        double sum = fmax(total[i / ny * PATCH_MOST + i % ny], LEAST),
               log_scale = lattice->reference - log_density[i];
        log_ratio[i] = log_scale < 600.0 ? log(sum * exp(log_scale)) : log(sum) + log_scale;
    }
}
