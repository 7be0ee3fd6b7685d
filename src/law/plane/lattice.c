#include "law/plane/lattice.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/plane/domain.h"
#include "law/plane/tuning.h"

#define LEAST 1e-300 /* stands for nothing */
enum { MOST_POINTS = 8000000, TOGETHER = 64 /* points */ };

static double spacing_of(const struct plane_transfer *transfer, double density)
{
    return sqrt(transfer->stage.noise) / transfer->from->root_alpha_bar / density;
}

double lattice_size(const struct plane_transfer *transfer, double density)
{
    double total = 0.0, spacing = spacing_of(transfer, density);
    for (size_t p = 0; p < transfer->grid->count; p++) {
        double side = 2.0 * transfer->grid->patch[p].half / spacing;
        total += side * side;
    }
    return total;
}

void lattice_free(struct lattice *lattice)
{
    patches_free(&lattice->beyond);
    free(lattice->block);
    free(lattice->image[0]);
    free(lattice->image[1]);
    free(lattice->log_mass);
    *lattice = (struct lattice){0};
}

static enum status make_room(struct lattice *lattice, size_t points, struct error *error)
{
    double **array[] = {&lattice->image[0], &lattice->image[1], &lattice->log_mass};
    size_t capacity = lattice->capacity;
    for (size_t i = 0; i < 3; i++) {
        capacity = lattice->capacity;
        double *grown = points <= MOST_POINTS ? array_reserve(*array[i], &capacity, points, sizeof *grown) : NULL;
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a lattice of %zu points in the plane", points);
        *array[i] = grown;
    }
    lattice->capacity = capacity;
    return STATUS_OK;
}

/* The lattice's points in one direction of a patch: origin + spacing * (first + i), i < count, relative to the
 * anchor's mean. All patches share the lattice, whatever their anchors; it avoids the patches' sides. */
struct span {
    double origin, spacing, first;
    size_t count;
};

static struct span span_of(const struct plane_transfer *transfer, const struct patch *patch, int i, double spacing)
{
    const double apart = 0.381966011;
    double origin = apart * spacing - remainder(patches_offset(transfer->grid->factor, patch->anchor, 0, i), spacing);
    double from = ceil((patch->centre[i] - patch->half - origin) / spacing);
    double to = ceil((patch->centre[i] + patch->half - origin) / spacing);
    return (struct span){origin, spacing, from, to > from ? (size_t)(to - from) : 0};
}

static double span_at(const struct span *span, size_t i)
{
    return span->origin + span->spacing * (span->first + (double)i);
}

/* Appends at most PATCH_MOST by PATCH_MOST points of a patch. */
static void add_points(struct lattice *lattice, struct plane_work *work, const struct patch *patch,
                       const struct span span[2], const size_t start[2], const size_t count[2])
{
    const struct plane_transfer *transfer = lattice->transfer;
    size_t points = count[0] * count[1], at = lattice->count;
    double root = transfer->from->root_alpha_bar, u[2][PATCH_MOST], local[2][PATCH_MOST];
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < count[i]; j++) {
            u[i][j] = span_at(&span[i], start[i] + j);
            local[i][j] = (u[i][j] - patch->centre[i]) / patch->half;
        }
    for (size_t j = 0; j < points; j++) {
        work->x[j] = root * u[0][j / count[1]];
        work->x[points + j] = root * u[1][j % count[1]];
    }
    plane_transfer_at(transfer, work, patch->anchor, points);
    patch_evaluate(patch, transfer->lobattos, count[0], local[0], count[1], local[1], work->log_ratio);
    double log_alpha = transfer->stage.moves ? transfer->stage.step->log_alpha : 0.0;
    double constant = 2.0 * log(root * span[0].spacing) + log_alpha - log(2.0 * M_PI * transfer->stage.noise);
    for (size_t j = 0; j < points; j++) {
        lattice->image[0][at + j] = work->x[j] + work->increment[j];
        lattice->image[1][at + j] = work->x[points + j] + work->increment[points + j];
        lattice->log_mass[at + j] = work->log_density[j] + work->log_ratio[j] + constant;
    }
    lattice->count += points;
    work->node_updates += points;
}

static void close_block(struct lattice *lattice, struct lattice_block *block)
{
    block->count = lattice->count - block->first;
    for (int i = 0; i < 2; i++) {
        block->lowest[i] = HUGE_VAL;
        block->highest[i] = -HUGE_VAL;
        for (size_t j = block->first; j < lattice->count; j++) {
            block->lowest[i] = fmin(block->lowest[i], lattice->image[i][j]);
            block->highest[i] = fmax(block->highest[i], lattice->image[i][j]);
        }
    }
}

/* Squares beyond the grid from where the noise can come. */
static enum status find_beyond(const struct plane_transfer *transfer, double reach, struct patches *beyond,
                               struct error *error)
{
    double narrowest = HUGE_VAL;
    for (size_t k = 0; k < transfer->from->factor->components; k++)
        narrowest = fmin(narrowest, transfer->from->sd[k]);
    double farther = reach + PLANE_LATTICE_REACH * fmin(sqrt(transfer->stage.noise) / narrowest, PLANE_BEYOND_NOISE);
    return patches_complement(transfer->grid, transfer->from, farther, PLANE_BEYOND_SIDE, beyond, error);
}

static enum status add_block_of(struct lattice *lattice, struct plane_work *work, const struct patch *patch,
                                double spacing, struct error *error)
{
    const struct span span[2] = {span_of(lattice->transfer, patch, 0, spacing),
                                 span_of(lattice->transfer, patch, 1, spacing)};
    struct lattice_block *block = &lattice->block[lattice->blocks++];
    *block = (struct lattice_block){.anchor = patch->anchor, .first = lattice->count};
    if (span[0].count > MOST_POINTS || span[1].count > MOST_POINTS)
        return fail_with(error, STATUS_MEMORY, "out of memory for a lattice of %zu by %zu points in the plane",
                         span[0].count, span[1].count);
    TRY(make_room(lattice, lattice->count + span[0].count * span[1].count, error));
    size_t start[2], count[2];
    for (start[0] = 0; start[0] < span[0].count; start[0] += PATCH_MOST)
        for (start[1] = 0; start[1] < span[1].count; start[1] += PATCH_MOST) {
            for (int i = 0; i < 2; i++)
                count[i] = span[i].count - start[i] < PATCH_MOST ? span[i].count - start[i] : PATCH_MOST;
            add_points(lattice, work, patch, span, start, count);
        }
    close_block(lattice, block);
    return STATUS_OK;
}

enum status lattice_build(const struct plane_transfer *transfer, double density, double reach,
                          struct plane_work *work, struct lattice *lattice, struct error *error)
{
    const struct patches *grid = transfer->grid;
    double spacing = spacing_of(transfer, density);
    lattice->transfer = transfer;
    lattice->count = lattice->blocks = 0;
    TRY(find_beyond(transfer, reach, &lattice->beyond, error));
    struct lattice_block *block =
        array_resize(lattice->block, grid->count + lattice->beyond.count, sizeof *lattice->block);
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a lattice on %zu patches", grid->count);
    lattice->block = block;
    for (size_t p = 0; p < grid->count; p++)
        TRY(add_block_of(lattice, work, &grid->patch[p], spacing, error));
    for (size_t p = 0; p < lattice->beyond.count; p++)
        TRY(add_block_of(lattice, work, &lattice->beyond.patch[p], spacing, error));
    return STATUS_OK;
}

/* ---- The kernel ---- */

/* The points y of one call: sqrt(alpha) y, relative to sqrt(A) m_anchor of the reference before the stage. */
struct goal {
    size_t n[2]; /* ascending in either direction */
    double at[2][PATCH_MOST];
    double reference; /* log of the scale of `total` */
    double total[PATCH_MOST * PATCH_MOST];
};

struct kernel {
    double shift[2], reach, half_precision;
};

/* The nodes of a goal that points of the lattice reach, in one direction: [first, last) of each point, and the
 * kernel's factors there, one point's after the other's. */
struct factors {
    size_t first[TOGETHER], last[TOGETHER];
    double value[PATCH_MOST * TOGETHER];
};

static void fill_factors(const struct goal *goal, int i, const struct kernel *kernel, size_t count,
                         const double *image, const double *log_mass, struct factors *out)
{
    size_t used = 0, n = goal->n[i];
    for (size_t j = 0; j < count; j++) {
        double centre = image[j] + kernel->shift[i],
               constant = log_mass != NULL ? log_mass[j] - goal->reference : 0.0;
        size_t first = 0, last = n;
        while (first < n && goal->at[i][first] < centre - kernel->reach)
            first++;
        while (last > first && goal->at[i][last - 1] > centre + kernel->reach)
            last--;
        out->first[j] = first;
        out->last[j] = last;
        for (size_t k = first; k < last; k++) {
            double gap = goal->at[i][k] - centre;
            out->value[used++] = constant - kernel->half_precision * (gap * gap);
        }
    }
    vexp(used, out->value, out->value);
}

/* Adds `count` <= TOGETHER points of the lattice. */
VECTOR_CLONES static void add_kernel(struct goal *goal, const struct kernel *kernel, size_t count,
                                     const double *image_x, const double *image_y, const double *log_mass)
{
    struct factors x, y;
    fill_factors(goal, 0, kernel, count, image_x, log_mass, &x);
    fill_factors(goal, 1, kernel, count, image_y, NULL, &y);
    const double *along = x.value, *across = y.value;
    for (size_t j = 0; j < count; j++) {
        size_t columns = x.last[j] - x.first[j], rows = y.last[j] - y.first[j];
        for (size_t k = 0; k < columns; k++) {
            double *total = goal->total + (x.first[j] + k) * goal->n[1] + y.first[j], first = along[k];
            for (size_t l = 0; l < rows; l++)
                total[l] += first * across[l];
        }
        along += columns;
        across += rows;
    }
}

/* Those of a block's points that the noise brings to the goal. */
static void add_block(const struct lattice *lattice, const struct lattice_block *block, size_t anchor,
                      struct goal *goal)
{
    const struct plane_transfer *transfer = lattice->transfer;
    double low[2], high[2], near[3][TOGETHER];
    struct kernel kernel = {.reach = PLANE_LATTICE_REACH * sqrt(transfer->stage.noise),
                            .half_precision = 0.5 / transfer->stage.noise};
    size_t used = 0;
    for (int i = 0; i < 2; i++) {
        kernel.shift[i] =
            transfer->from->root_alpha_bar * patches_offset(transfer->grid->factor, block->anchor, anchor, i);
        low[i] = goal->at[i][0] - kernel.reach - kernel.shift[i];
        high[i] = goal->at[i][goal->n[i] - 1] + kernel.reach - kernel.shift[i];
        if (block->highest[i] < low[i] || block->lowest[i] > high[i])
            return;
    }
    for (size_t j = block->first; j < block->first + block->count; j++) {
        double x = lattice->image[0][j], y = lattice->image[1][j];
        if (x < low[0] || x > high[0] || y < low[1] || y > high[1])
            continue;
        near[0][used] = x;
        near[1][used] = y;
        near[2][used++] = lattice->log_mass[j];
        if (used == TOGETHER) {
            add_kernel(goal, &kernel, used, near[0], near[1], near[2]);
            used = 0;
        }
    }
    if (used > 0)
        add_kernel(goal, &kernel, used, near[0], near[1], near[2]);
}

void lattice_apply(const struct lattice *lattice, size_t anchor, size_t nx, const double *x, size_t ny,
                   const double *y, double *log_ratio, double *log_density)
{
    const struct plane_transfer *transfer = lattice->transfer;
    struct goal goal = {.n = {nx, ny}, .reference = -HUGE_VAL};
    double at[2 * PATCH_MOST * PATCH_MOST] = {0.0}, root = transfer->from->root_alpha_bar;
    size_t points = nx * ny;
    for (size_t i = 0; i < nx; i++)
        goal.at[0][i] = root * x[i];
    for (size_t j = 0; j < ny; j++)
        goal.at[1][j] = root * y[j];
    for (size_t i = 0; i < points; i++) {
        at[i] = transfer->to->root_alpha_bar * x[i / ny];
        at[points + i] = transfer->to->root_alpha_bar * y[i % ny];
    }
    joint_level_evaluate(transfer->to, anchor, points, points, at, log_density, NULL);
    for (size_t i = 0; i < points; i++)
        goal.reference = fmax(goal.reference, log_density[i]);
    for (size_t b = 0; b < lattice->blocks; b++)
        if (lattice->block[b].count > 0)
            add_block(lattice, &lattice->block[b], anchor, &goal);
    for (size_t i = 0; i < points; i++) {
        double log_scale = goal.reference - log_density[i];
        goal.total[i] = fmax(goal.total[i], LEAST);
        log_ratio[i] = log_scale < 600.0 ? log(goal.total[i] * exp(log_scale)) : log(goal.total[i]) + log_scale;
    }
}
