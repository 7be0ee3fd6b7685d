#include "law/line/increments.h"

#include "law/line/tuning.h"

void line_increments_free(struct line_increments *increments)
{
    for (size_t k = 0; k < INCREMENTS; k++)
        panels_free(&increments->added[k]);
    panels_free(&increments->moved);
}

bool line_increments_can(const struct line_increments *increments)
{
    return increments->known >= 2;
}

/* The function of `from`, panels at the level of the mixture, on the panels of *to. */
static void resample(const struct chebyshev *chebyshev, const struct mixture_level *mixture,
                     const struct panels *from, struct panels *to)
{
    double x[PANEL_NODES], value[PANEL_NODES];
    for (size_t p = 0, hint = 0; p < to->count; p++) {
        panel_nodes(chebyshev, &to->panel[p], x);
        panels_evaluate(from, mixture, to->panel[p].anchor, PANEL_NODES, x, value, &hint);
        panel_fit(chebyshev, value, &to->panel[p]);
    }
}

/* Takes panels of the law before a step from *added, those of the law after it. At the common end of two panels the
 * law before has two values, which differ by rounding, and the law after has one: what that differs by from either is
 * no increment, and added in step after step it would grow. Both panels have the mean there. */
static void subtract(const struct chebyshev *chebyshev, const struct mixture_level *mixture,
                     const struct panels *before, struct panels *added)
{
    enum { LAST = PANEL_NODES - 1 };
    double x[PANEL_NODES], value[2][PANEL_NODES], old[PANEL_NODES];
    for (size_t p = 0, hint = 0; p < added->count; p++) {
        double *own = value[p % 2], *left = value[1 - p % 2];
        panel_nodes(chebyshev, &added->panel[p], x);
        panels_evaluate(before, mixture, added->panel[p].anchor, PANEL_NODES, x, old, &hint);
        panel_evaluate(&added->panel[p], 0.0, PANEL_NODES, x, own);
        for (size_t i = 0; i < PANEL_NODES; i++)
            own[i] -= old[i];
        if (p > 0 && !panels_at_end(added, p, 0))
            left[LAST] = own[0] = 0.5 * (left[LAST] + own[0]);
        if (p > 0)
            panel_fit(chebyshev, left, &added->panel[p - 1]);
        if (p + 1 == added->count)
            panel_fit(chebyshev, own, &added->panel[p]);
    }
}

/* Takes the others to the panels of `result`, and makes room for the last. */
static enum status shift(struct line_increments *increments, const struct chebyshev *chebyshev,
                         const struct mixture_level *mixture, const struct panels *result, struct error *error)
{
    struct panels spare = increments->added[INCREMENTS - 1];
    for (size_t k = INCREMENTS - 1; k > 0; k--) {
        increments->added[k] = increments->added[k - 1];
        increments->beta[k] = increments->beta[k - 1];
    }
    increments->added[0] = spare;
    increments->known = increments->known < INCREMENTS ? increments->known : INCREMENTS - 1;
    for (size_t k = 1; k <= increments->known; k++) {
        int in_order;
        TRY(panels_move(&increments->added[k], mixture, &increments->moved, &in_order, error));
        if (!in_order) {
            increments->known = k - 1;
            break;
        }
        TRY(panels_copy(result, &increments->added[k], error));
        resample(chebyshev, mixture, &increments->moved, &increments->added[k]);
    }
    return STATUS_OK;
}

enum status line_increments_take(struct line_increments *increments, const struct chebyshev *chebyshev,
                                 const struct mixture_level *mixture, double beta, const struct panels *before,
                                 const struct panels *result, struct error *error)
{
    if (increments->known > 0 && !(beta < LINE_INCREMENTS_APART * increments->beta[0]))
        increments->known = 0;
    TRY(shift(increments, chebyshev, mixture, result, error));
    TRY(panels_copy(result, &increments->added[0], error));
    subtract(chebyshev, mixture, before, &increments->added[0]);
    increments->beta[0] = beta;
    increments->known++;
    return STATUS_OK;
}

/* Lagrange's polynomials of beta with nodes 0, where nothing is added, and the variances. */
void line_increments_weigh(const struct line_increments *increments, double beta, double weight[INCREMENTS])
{
    const double *node = increments->beta;
    for (size_t k = 0; k < increments->known; k++) {
        double product = beta / node[k];
        for (size_t j = 0; j < increments->known; j++)
            product *= j == k ? 1.0 : (beta - node[j]) / (node[k] - node[j]);
        weight[k] += product;
    }
}

void line_increments_add(const struct line_increments *increments, const double weight[INCREMENTS],
                         struct panels *panels)
{
    for (size_t k = 0; k < increments->known; k++)
        for (size_t p = 0; p < panels->count; p++)
            for (size_t i = 0; i < PANEL_NODES; i++)
                panels->panel[p].coefficient[i] += weight[k] * increments->added[k].panel[p].coefficient[i];
}

enum status line_increments_of(struct line_increments *increments, const struct mixture_level *mixture, double beta,
                               const struct panels **out, struct error *error)
{
    double weight[INCREMENTS] = {-1.0}; /* of what is there already */
    int in_order;                       /* they are if the law's own panels are, which are the same */
    TRY(panels_move(&increments->added[0], mixture, &increments->moved, &in_order, error));
    line_increments_weigh(increments, beta, weight);
    line_increments_add(increments, weight, &increments->moved);
    *out = &increments->moved;
    return STATUS_OK;
}
