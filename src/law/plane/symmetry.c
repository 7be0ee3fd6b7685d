#include "law/plane/symmetry.h"

#include <math.h>
#include <string.h>

#include "law/plane/tuning.h"

static void move_vector(struct square_move move, const double x[2], double out[2])
{
    for (int i = 0; i < 2; i++)
        out[i] = (move.flips[i] ? -1.0 : 1.0) * x[move.swaps ? 1 - i : i];
}

/* xx, xy, yy */
static void covariance_of(const struct factor *factor, size_t k, double out[3])
{
    const double *entry = factor->full != NULL ? factor->full->entry + (factor->full->count > 1 ? 4 * k : 0) : NULL;
    double variance = entry == NULL ? factor->sd[k] * factor->sd[k] : 0.0;
    out[0] = entry == NULL ? variance : entry[0];
    out[1] = entry == NULL ? 0.0 : entry[1];
    out[2] = entry == NULL ? variance : entry[3];
}

/* true if the move takes component k to component j. */
static bool takes_to(const struct factor *factor, struct square_move move, size_t k, size_t j)
{
    double mean[2], from[3], to[3], sign = move.flips[0] == move.flips[1] ? 1.0 : -1.0;
    move_vector(move, factor->mean + 2 * k, mean);
    covariance_of(factor, k, from);
    covariance_of(factor, j, to);
    double moved[3] = {from[move.swaps ? 2 : 0], sign * from[1], from[move.swaps ? 0 : 2]},
           variance = PLANE_SYMMETRIC * fmin(from[0], from[2]),
           place = PLANE_SYMMETRIC * sqrt(fmin(from[0], from[2]));
    bool same = fabs(factor->weight[k] - factor->weight[j]) <= PLANE_SYMMETRIC * factor->weight[k]
                && factor_log_weight(factor, k) - factor_log_weight(factor, j) <= PLANE_SYMMETRIC;
    for (int i = 0; i < 2; i++)
        same &= fabs(mean[i] - factor->mean[2 * j + (size_t)i]) <= place;
    for (int i = 0; i < 3; i++)
        same &= fabs(moved[i] - to[i]) <= variance;
    return same;
}

static bool leaves(const struct factor *factor, struct square_move move)
{
    for (size_t k = 0; k < factor->components; k++) {
        size_t j = 0;
        while (j < factor->components && !takes_to(factor, move, k, j))
            j++;
        if (j == factor->components)
            return false;
    }
    return true;
}

struct plane_symmetry plane_symmetry_of(const struct factor *factor)
{
    struct plane_symmetry symmetry = {0};
    for (int i = 0; i < SQUARE_MOVES; i++) {
        const struct square_move move = {i / 4 > 0, {i / 2 % 2 > 0, i % 2 > 0}};
        if (i == 0 || leaves(factor, move))
            symmetry.move[symmetry.count++] = move;
    }
    return symmetry;
}

static void move_cell(struct square_move move, const struct patch *patch, uint64_t out[2])
{
    uint64_t last = (UINT64_C(1) << patch->depth) - 1;
    for (int i = 0; i < 2; i++) {
        uint64_t at = patch->at[move.swaps ? 1 - i : i];
        out[i] = move.flips[i] ? last - at : at;
    }
}

/* true if cell a of the quadtree comes before cell b of the same depth in the order of Morton: that of their parents
 * first, so that the first of a cell's images is a part of the first of its parent's images, and a patch that stands
 * for others may be split into ones that do. */
static bool comes_before(const uint64_t a[2], const uint64_t b[2])
{
    uint64_t differ[2] = {a[0] ^ b[0], a[1] ^ b[1]};
    bool second = differ[0] < differ[1] && differ[0] < (differ[0] ^ differ[1]); /* it differs in a higher bit */
    return a[second] < b[second];
}

/* The moves that take the patch to places of their own. 0: it is not the first of these. */
static size_t find_places(const struct plane_symmetry *symmetry, const struct patch *patch, size_t own[SQUARE_MOVES])
{
    uint64_t at[SQUARE_MOVES][2];
    size_t count = 0;
    for (size_t i = 0; i < symmetry->count; i++) {
        bool is_new = true;
        move_cell(symmetry->move[i], patch, at[count]);
        if (comes_before(at[count], patch->at))
            return 0;
        for (size_t j = 0; j < count; j++)
            is_new &= at[j][0] != at[count][0] || at[j][1] != at[count][1];
        own[count] = i;
        count += is_new;
    }
    return count;
}

size_t plane_symmetry_stands_for(const struct plane_symmetry *symmetry, const struct patch *patch)
{
    size_t own[SQUARE_MOVES];
    return find_places(symmetry, patch, own);
}

static struct patch moved(struct square_move move, const struct patch *patch)
{
    struct patch out = *patch;
    move_cell(move, patch, out.at);
    for (int i = 0; i < 2; i++) {
        int from = move.swaps ? 1 - i : i;
        out.nodes[i] = patch->nodes[from];
        out.next[i] = patch->next[from];
        out.order[i] = patch->order[from];
    }
    for (size_t i = 0; i < out.nodes[0]; i++)
        for (size_t j = 0; j < out.nodes[1]; j++) {
            size_t a = move.flips[0] ? out.nodes[0] - 1 - i : i, b = move.flips[1] ? out.nodes[1] - 1 - j : j;
            out.value[i * out.nodes[1] + j] =
                patch->value[move.swaps ? b * patch->nodes[1] + a : a * patch->nodes[1] + b];
        }
    return out;
}

enum status plane_symmetry_complete(const struct plane_symmetry *symmetry, const struct patch_domain *domain,
                                    const void *context, struct patches *patches, struct error *error)
{
    size_t count = patches->count, own[SQUARE_MOVES];
    for (size_t p = 0; p < count && symmetry->count > 1; p++)
        for (size_t i = 1, places = find_places(symmetry, &patches->patch[p], own); i < places; i++) {
            struct patch image = moved(symmetry->move[own[i]], &patches->patch[p]);
            domain->place(context, &image, &patches->root);
            TRY(patches_append(patches, &image, error));
        }
    return patches_index(patches, error);
}
