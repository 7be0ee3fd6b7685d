#include <math.h>

#include "law/monotone.h"
#include "law/radial/panels.h"
#include "law/radial/transfer_parts.h"

struct displaced {
    const struct radial_transfer *transfer;
    struct radial_work *work;
};

static void displacement(void *context, size_t n, const double *rho, double *out)
{
    const struct displaced *displaced = context;
    const struct radial_transfer *transfer = displaced->transfer;
    transfer->stage.sampler->increment(transfer->stage.step, &transfer->oracle->base, n, rho, out,
                                       displaced->work->work);
}

/* log of the densities' ratio at a point, for what the node adds to. */
static double point_constant(const struct radial_transfer *transfer, const struct radial_terms *terms, size_t anchor,
                             double rho, double excess)
{
    double gaussian = rho * transfer->to->inverse_variance[anchor] * (rho / terms->variance_from);
    return 0.5 * transfer->stage.added * gaussian + terms->constant - excess;
}

/* r_{t-1}(rho) = r_t(R) p_t(R)/(p_{t-1}(rho) M'(R) (M/R)^(d-1)) in d dimensions, with D(R) = kappa R and
 * 1 + u = 1/(1 + kappa). */
enum status radial_map_apply(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                             size_t anchor, double length, size_t count, const double *rho, double *log_ratio,
                             size_t *hint, struct error *error)
{
    double from[MONOTONE_POINTS], to[MONOTONE_POINTS], log_density[MONOTONE_POINTS];
    struct radial_terms terms = radial_terms_of(transfer, anchor);
    struct displaced displaced = {transfer, work};
    const struct monotone_map map = {.displacement = displacement, .context = &displaced, .radial = true};
    struct monotone_inverse inverse;
    const struct monotone_points points = {1, count, &length, rho};
    monotone_invert(&map, order, transfer->stage.a, &points, &inverse);
    work->node_updates += inverse.evaluations;
    radial_panels_evaluate(transfer->grid, count, inverse.x, log_ratio, hint);
    radial_level_evaluate(transfer->from, anchor, count, inverse.x, from, NULL);
    radial_level_evaluate(transfer->to, anchor, count, rho, to, NULL);
    radial_level_log_density(transfer->from, count, inverse.x, log_density);
    for (size_t j = 0; j < count; j++) {
        double kappa = inverse.D[j] / inverse.x[j], u = -kappa / (1.0 + kappa), at = transfer->stage.a * rho[j];
        if (!inverse.good[j])
            TRY(monotone_ignore(&transfer->stage, exp(log_density[j] + log_ratio[j]) * length, "radius ",
                                inverse.x[j], &work->ignored, error));
        else
            log_ratio[j] += point_constant(transfer, &terms, anchor, rho[j], to[j]) + from[j]
                            - 0.5 * at * (at / terms.variance_from) * u * (2.0 + u) - 2.0 * terms.half * log1p(kappa)
                            - log1p(inverse.slope[j]);
    }
    return STATUS_OK;
}
