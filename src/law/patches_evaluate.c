#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/patches.h"

enum { BLOCK = 16 }; /* numbers that are summed together */

void lobattos_init(struct lobattos *lobattos)
{
    for (size_t n = PATCH_LEAST; n <= PATCH_MOST; n += 2) {
        struct lobatto *out = &lobattos->of[(n - PATCH_LEAST) / 2];
        size_t last = n - 1;
        for (size_t j = 0; j < n; j++) {
            double angle = M_PI * (double)(last - j) / (double)last, end = j == 0 || j == last ? 0.5 : 1.0;
            out->node[j] = j == 0 ? -1.0 : j == last ? 1.0 : cos(angle);
            out->barycentric[j] = j % 2 == 0 ? end : -end;
            out->weight[j] = 0.0;
            for (size_t k = 0; k < n; k++) {
                double share = end * (k == 0 || k == last ? 1.0 : 2.0) / (double)last;
                out->transform[j][k] = share * cos((double)k * angle);
                if (k % 2 == 0)
                    out->weight[j] += out->transform[j][k] * 2.0 / (1.0 - (double)(k * k));
            }
        }
    }
}

enum status patches_work_new(size_t most, struct patches_work *out, struct error *error)
{
    *out = (struct patches_work){.most = most};
    out->index = array_new(2 * most, sizeof *out->index);
    out->block = array_new(most * (3 * PATCH_MOST + 5) + BLOCK, sizeof *out->block);
    if (out->index == NULL || out->block == NULL) {
        patches_work_free(out);
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu points of the plane", most);
    }
    return STATUS_OK;
}

void patches_work_free(struct patches_work *work)
{
    free(work->index);
    free(work->block);
    *work = (struct patches_work){0};
}

/* The Lagrange polynomials of a Lobatto grid at n points of [-1, 1]: basis[k * n + i]. */
VECTOR_CLONES static void lagrange(const struct lobatto *lobatto, size_t nodes, size_t n, const double *x,
                                   double *basis, double *total)
{
    for (size_t i = 0; i < n; i++)
        total[i] = 0.0;
    for (size_t k = 0; k < nodes; k++) {
        double node = lobatto->node[k], weight = lobatto->barycentric[k], *out = basis + k * n;
        for (size_t i = 0; i < n; i++) {
            double gap = x[i] - node;
            gap = gap == 0.0 ? 1e-200 : gap; /* at a node its polynomial outweighs the others */
            out[i] = weight / gap;
            total[i] += out[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        total[i] = 1.0 / total[i];
    for (size_t k = 0; k < nodes; k++)
        for (size_t i = 0; i < n; i++)
            basis[k * n + i] *= total[i];
}

/* sum_k factor[k * stride] basis[k][i] for i < block, a constant, so that sums stay in registers. */
static inline void combine_block(size_t block, size_t nodes, const double *factors, size_t stride, size_t n,
                                 const double *basis, double *sum)
{
    for (size_t i = 0; i < block; i++)
        sum[i] = factors[0] * basis[i];
    for (size_t k = 1; k < nodes; k++) {
        const double factor = factors[k * stride], *row = basis + k * n;
        for (size_t i = 0; i < block; i++)
            sum[i] += factor * row[i];
    }
}

/* sum_k factor[k * stride] basis[k][.]; reads, and does not use, up to BLOCK numbers behind the basis. */
VECTOR_CLONES static void combine(size_t nodes, const double *factors, size_t stride, size_t n, const double *basis,
                                  double *out)
{
    for (size_t start = 0; start < n; start += BLOCK) {
        double sum[BLOCK];
        if (n - start > BLOCK / 2)
            combine_block(BLOCK, nodes, factors, stride, n, basis + start, sum);
        else
            combine_block(BLOCK / 2, nodes, factors, stride, n, basis + start, sum);
        if (n - start >= BLOCK)
            for (size_t i = 0; i < BLOCK; i++)
                out[start + i] = sum[i];
        else
            for (size_t i = 0; i < n - start; i++)
                out[start + i] = sum[i];
    }
}

/* The values on the lines at n places x, for each node in y: lines[j][.] = sum_i basis[i][.] value[i][j] */
static void contract(const struct patch *patch, size_t n, const double *basis, double *lines)
{
    for (size_t j = 0; j < patch->nodes[1]; j++)
        combine(patch->nodes[0], patch->value + j, patch->nodes[1], n, basis, lines + j * n);
}

void patch_evaluate(const struct patch *patch, const struct lobattos *lobattos, size_t nx, const double *x, size_t ny,
                    const double *y, double *out)
{
    double basis_x[PATCH_MOST * PATCH_MOST + BLOCK] = {0.0}, basis_y[PATCH_MOST * PATCH_MOST + BLOCK] = {0.0},
                                             total[PATCH_MOST], lines[PATCH_MOST * PATCH_MOST];
    lagrange(lobatto_of(lobattos, patch->nodes[0]), patch->nodes[0], nx, x, basis_x, total);
    lagrange(lobatto_of(lobattos, patch->nodes[1]), patch->nodes[1], ny, y, basis_y, total);
    contract(patch, nx, basis_x, lines);
    for (size_t i = 0; i < nx; i++)
        combine(patch->nodes[1], lines + i, nx, ny, basis_y, out + i * ny);
}

/* Coordinate i of an anchor's mean relative to the root's centre. */
static double patches_origin(const struct patches *patches, size_t anchor, int i)
{
    return patches_offset(patches->factor, anchor, 0, i) - patches->root.centre[i];
}

struct query {
    const struct patches *patches;
    const struct lobattos *lobattos;
    size_t anchor, nearest, ny;
    const double *coordinate[2]; /* relative to the anchor's mean */
    double origin[2];            /* of the anchor's mean in the root's coordinates */
    double *out;
    double *local[2], *basis[2], *lines, *total, *values;
};

/* All of the columns index_x with all of the rows index_y, by one leaf: of points outside it, which lie in no leaf or
 * beyond the root, the nearest in it stand for them. */
static void evaluate_leaf(const struct query *query, size_t leaf, size_t nx, const size_t *index_x, size_t ny,
                          const size_t *index_y)
{
    const struct patch *patch = &query->patches->patch[leaf];
    const size_t *const index[2] = {index_x, index_y};
    const size_t count[2] = {nx, ny};
    double inverse = 1.0 / patch->half;
    bool in_order = true; /* rows that follow one another */
    for (size_t j = 1; j < ny; j++)
        in_order &= index_y[j] == index_y[0] + j;
    for (int i = 0; i < 2; i++) {
        double shift = patches_offset(query->patches->factor, query->anchor, patch->anchor, i) - patch->centre[i];
        for (size_t j = 0; j < count[i]; j++) {
            double at = (query->coordinate[i][index[i][j]] + shift) * inverse;
            query->local[i][j] = fmin(fmax(at, -1.0), 1.0);
        }
        lagrange(lobatto_of(query->lobattos, patch->nodes[i]), patch->nodes[i], count[i], query->local[i],
                 query->basis[i], query->total);
    }
    size_t n0 = patch->nodes[0], n1 = patch->nodes[1];
    if (ny == 1) { /* all columns at once */
        for (size_t i = 0; i < n0; i++) {
            query->lines[i] = 0.0;
            for (size_t j = 0; j < n1; j++)
                query->lines[i] += patch->value[i * n1 + j] * query->basis[1][j];
        }
        combine(n0, query->lines, 1, nx, query->basis[0], query->values);
        for (size_t i = 0; i < nx; i++)
            query->out[index_x[i] * query->ny + index_y[0]] = query->values[i];
        return;
    }
    bool y_first = ny * n0 * (n1 + nx) < nx * n1 * (n0 + ny);
    for (size_t i = 0; i < n0 && y_first; i++)
        combine(n1, patch->value + i * n1, 1, ny, query->basis[1], query->lines + i * ny);
    if (!y_first)
        contract(patch, nx, query->basis[0], query->lines);
    for (size_t i = 0; i < nx; i++) {
        double *out = query->out + index_x[i] * query->ny;
        double *values = in_order ? out + index_y[0] : query->values;
        if (y_first)
            combine(n0, query->basis[0] + i, nx, ny, query->lines, values);
        else
            combine(n1, query->lines + i, nx, ny, query->basis[1], values);
        for (size_t j = 0; j < ny && !in_order; j++)
            out[index_y[j]] = values[j];
    }
}

/* Brings those of the indices whose coordinate is below `middle` to the front and counts them. */
static size_t divide(size_t count, size_t *index, const double *coordinate, double origin, double middle)
{
    size_t below = 0;
    for (size_t i = 0; i < count; i++)
        if (coordinate[index[i]] + origin < middle) {
            size_t swapped = index[below];
            index[below++] = index[i];
            index[i] = swapped;
        }
    return below;
}

static void evaluate_cell(const struct query *query, uint32_t at, double centre_x, double centre_y, double half,
                          size_t nx, size_t *index_x, size_t ny, size_t *index_y)
{
    const struct patches_cell *cell = &query->patches->cell[at];
    if (cell->leaf != NO_LEAF) {
        evaluate_leaf(query, cell->leaf - 1, nx, index_x, ny, index_y);
        return;
    }
    size_t left = divide(nx, index_x, query->coordinate[0], query->origin[0], centre_x);
    size_t lower = divide(ny, index_y, query->coordinate[1], query->origin[1], centre_y);
    for (int right = 0; right < 2; right++)
        for (int upper = 0; upper < 2; upper++) {
            size_t columns = right ? nx - left : left, rows = upper ? ny - lower : lower;
            size_t *first_x = right ? index_x + left : index_x, *first_y = upper ? index_y + lower : index_y;
            if (columns == 0 || rows == 0)
                continue;
            uint32_t child = cell->child[right][upper];
            if (child == 0)
                evaluate_leaf(query, query->nearest, columns, first_x, rows, first_y);
            else
                evaluate_cell(query, child, centre_x + (right ? 0.5 : -0.5) * half,
                              centre_y + (upper ? 0.5 : -0.5) * half, 0.5 * half, columns, first_x, rows, first_y);
        }
}

void patches_evaluate(const struct patches *patches, const struct lobattos *lobattos, size_t anchor, size_t nearest,
                      size_t nx, const double *x, size_t ny, const double *y, double *out, struct patches_work *work)
{
    size_t *index_x = work->index, *index_y = work->index + work->most;
    double *local = work->block, *basis = local + 4 * work->most;
    for (size_t i = 0; i < nx; i++)
        index_x[i] = i;
    for (size_t j = 0; j < ny; j++)
        index_y[j] = j;
    const struct query query = {
        .patches = patches,
        .lobattos = lobattos,
        .anchor = anchor,
        .nearest = nearest,
        .ny = ny,
        .coordinate = {x, y},
        .origin = {patches_origin(patches, anchor, 0), patches_origin(patches, anchor, 1)},
        .out = out,
        .local = {local, local + work->most},
        .basis = {basis, basis + PATCH_MOST * work->most},
        .lines = basis + 2 * PATCH_MOST * work->most,
        .total = local + 2 * work->most,
        .values = local + 3 * work->most,
    };
    evaluate_cell(&query, 0, 0.0, 0.0, patches->root.half, nx, index_x, ny, index_y);
}

bool patches_have(const struct patches *patches, size_t anchor, double x, double y, size_t *leaf)
{
    double at[2] = {x + patches_origin(patches, anchor, 0), y + patches_origin(patches, anchor, 1)};
    double centre[2] = {0.0, 0.0}, half = patches->root.half;
    uint32_t cell = 0;
    while (patches->cell[cell].leaf == NO_LEAF) {
        int right = at[0] >= centre[0], upper = at[1] >= centre[1];
        cell = patches->cell[cell].child[right][upper];
        if (cell == 0)
            return false;
        half *= 0.5;
        centre[0] += right ? half : -half;
        centre[1] += upper ? half : -half;
    }
    *leaf = patches->cell[cell].leaf - 1;
    return true;
}

size_t patches_find(const struct patches *patches, size_t anchor, double x, double y)
{
    size_t leaf;
    return patches_have(patches, anchor, x, y, &leaf) ? leaf : 0;
}

void patch_tails(const struct patch *patch, const struct lobattos *lobattos, size_t degrees, double tail[2])
{
    const size_t *n = patch->nodes, stride[2] = {n[1], 1};
    for (int i = 0; i < 2; i++) {
        const struct lobatto *by = lobatto_of(lobattos, n[i]);
        tail[i] = 0.0;
        for (size_t line = 0; line < n[1 - i]; line++)
            for (size_t degree = n[i] - degrees; degree < n[i]; degree++) {
                double total = 0.0;
                for (size_t j = 0; j < n[i]; j++)
                    total += by->transform[j][degree] * patch->value[line * stride[1 - i] + j * stride[i]];
                tail[i] = fmax(tail[i], fabs(total));
            }
    }
}
