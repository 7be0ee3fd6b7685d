#include "law/line/increments.h"

#include <math.h>

#include "law/line/tuning.h"

void line_increments_free(struct line_increments *increments)
{
    panels_free(&increments->last);
    panels_free(&increments->earlier);
    panels_free(&increments->moved);
    panels_free(&increments->resampled);
}

bool line_increments_can(const struct line_increments *increments)
{
    return increments->known == 2 && increments->last_beta < LINE_INCREMENTS_APART * increments->earlier_beta;
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

enum status line_increments_take(struct line_increments *increments, const struct chebyshev *chebyshev,
                                 const struct mixture_level *mixture, double beta, const struct panels *before,
                                 const struct panels *result, struct error *error)
{
    if (increments->known > 0) {
        int in_order;
        TRY(panels_move(&increments->last, mixture, &increments->moved, &in_order, error));
        TRY(panels_copy(result, &increments->earlier, error));
        resample(chebyshev, mixture, &increments->moved, &increments->earlier);
        increments->earlier_beta = increments->last_beta;
        increments->known = in_order ? 1 : 0;
    }
    TRY(panels_copy(result, &increments->resampled, error));
    resample(chebyshev, mixture, before, &increments->resampled);
    TRY(panels_copy(result, &increments->last, error));
    for (size_t p = 0; p < result->count; p++)
        for (size_t i = 0; i < PANEL_NODES; i++)
            increments->last.panel[p].coefficient[i] -= increments->resampled.panel[p].coefficient[i];
    increments->last_beta = beta;
    increments->known++;
    return STATUS_OK;
}

/* What the last and the earlier increment are multiplied by: Lagrange's polynomials of beta with nodes 0 and their
 * variances, or sums of these. */
struct weights {
    double last, earlier;
};

static struct weights weights_of(const struct line_increments *increments, double sum, double squares)
{
    double last = increments->last_beta, earlier = increments->earlier_beta;
    return (struct weights){(earlier * sum - squares) / (last * (earlier - last)),
                            (squares - last * sum) / (earlier * (earlier - last))};
}

static void add(const struct line_increments *increments, struct weights weights, struct panels *panels)
{
    for (size_t p = 0; p < panels->count; p++)
        for (size_t i = 0; i < PANEL_NODES; i++)
            panels->panel[p].coefficient[i] += weights.last * increments->last.panel[p].coefficient[i]
                                               + weights.earlier * increments->earlier.panel[p].coefficient[i];
}

enum status line_increments_of(struct line_increments *increments, const struct mixture_level *mixture, double beta,
                               const struct panels **out, struct error *error)
{
    struct weights weights = weights_of(increments, beta, beta * beta);
    int in_order; /* they are if the law's own panels are, which are the same */
    TRY(panels_move(&increments->last, mixture, &increments->moved, &in_order, error));
    weights.last -= 1.0; /* of what is there already */
    add(increments, weights, &increments->moved);
    *out = &increments->moved;
    return STATUS_OK;
}

void line_increments_add(const struct line_increments *increments, double sum, double squares, struct panels *panels)
{
    add(increments, weights_of(increments, sum, squares), panels);
}
