#include <math.h>

#include "model/score_error.h"

/* The standard deviation of p_t. Centres relative to component 0, so that a far narrow law keeps its digits. */
static double spread_of(const struct mixture_level *mixture)
{
    const struct factor *factor = mixture->factor;
    double mean = 0.0, variance = 0.0;
    for (size_t k = 0; k < factor->components; k++)
        mean += factor->weight[k] * mixture_level_centre(mixture, k, 0);
    for (size_t k = 0; k < factor->components; k++) {
        double distance = mixture_level_centre(mixture, k, 0) - mean;
        variance += factor->weight[k] * (mixture->sd[k] * mixture->sd[k] + distance * distance);
    }
    return sqrt(variance);
}

/* E sin^2(kX) = (1 - sum_j w_j exp(-2 k^2 V_j) cos(2 k c_j))/2, with 1 - e cos = -expm1 cos + 2 sin^2 to keep the
 * digits of slow waves. */
static void prepare(const struct score_error *error, const struct mixture_level *mixture, struct error_level *out)
{
    const struct factor *factor = mixture->factor;
    double wave_number = error->roughness / spread_of(mixture), square = 0.0;
    for (size_t j = 0; j < factor->components; j++) {
        double angle = wave_number * (mixture->root_alpha_bar * factor->mean[j]),
               width = wave_number * mixture->sd[j];
        double sine = sin(angle);
        square += factor->weight[j] * (sine * sine - 0.5 * expm1(-2.0 * width * width) * cos(2.0 * angle));
    }
    out->scale = wave_number;
    out->height = 1.0 / sqrt(square);
}

static void evaluate(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = at->height * sin(at->scale * x[i]);
}

const struct error_shape error_wave = {
    .name = "wave",
    .doc = "A sine, odd about 0; the roughness is its wave number in units of the marginal's standard deviation: "
           "steeper, at the same L2 size.",
    .formula = "g(x) = sqrt(2) sin(roughness x/l_t)/norm, l_t = sd(X_t), norm^2 = 2 E sin^2(roughness X_t/l_t)",
    .source = "theory (13) with phi = 0",
    .parameters = ERROR_ROUGHNESS,
    .prepare = prepare,
    .evaluate = evaluate,
};
