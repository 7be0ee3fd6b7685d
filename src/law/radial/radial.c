/* The radial engine: a target that depends on |x| alone, in any dimension. log r_t is a function of the radius,
 * carried from level to level by law/radial/transfer_*.c on panels over the shells (law/radial/panels.c). */
#include <math.h>

#include "core/memory.h"
#include "law/propagate.h"
#include "law/radial/stage.h"
#include "law/radial/tuning.h"
#include "law/resample.h"

extern const struct law_engine engine_radial;

static void radial_free(void *state)
{
    struct radial *radial = state;
    for (size_t i = 0; i < SLOTS; i++) {
        radial_level_free(&radial->level[i]);
        panels_free(&radial->grid[i]);
    }
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        radial_level_free(&radial->other[i]);
    for (size_t i = 0; i < SAMPLER_DRAWS * SAMPLER_OTHER_LEVELS; i++)
        radial_level_free(&radial->draw[i / SAMPLER_OTHER_LEVELS].other[i % SAMPLER_OTHER_LEVELS]);
    mixture_level_free(&radial->coordinate);
    free(radial->zeros);
    free(radial->errors);
    radial_team_free(&radial->threads);
    free(radial);
}

static enum status radial_new(struct propagation *run, void **state, struct error *error)
{
    const struct factor *factor = run->problem->factor;
    struct radial *radial = *state = array_new(1, sizeof *radial);
    if (radial == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the radial engine");
    radial->run = run;
    radial_basis_init(&radial->basis);
    radial_oracle_init(&radial->oracle);
    radial->oracle.undeclared = &run->undeclared;
    radial->zeros = array_new(factor->components, sizeof *radial->zeros);
    if (radial->zeros == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", factor->components);
    radial->marginal = (struct factor){
        1, factor->components, factor->weight, radial->zeros, factor->sd, NULL, factor->log_weight, NULL};
    TRY(mixture_level_new(&radial->marginal, &radial->coordinate, error));
    TRY(radial_team_new(run->problem->sampler, (double)factor->dimension, run->team, &radial->threads, error));
    for (size_t i = 0; i < SLOTS; i++)
        TRY(radial_level_new(factor, &radial->level[i], error));
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && run->problem->sampler->other_levels != NULL; i++)
        TRY(radial_level_new(factor, &radial->other[i], error));
    for (size_t k = 0; k < run->problem->sampler->draws; k++) {
        radial->draw[k].oracle = radial->oracle;
        for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && run->problem->sampler->other_levels != NULL; i++)
            TRY(radial_level_new(factor, &radial->draw[k].other[i], error));
    }
    return STATUS_OK;
}

static void set_level(void *state, size_t slot, const struct level *level)
{
    radial_level_set(&((struct radial *)state)->level[slot], level);
}

/* log r_T = log N(x; 0, I) - log p_T(x); in the anchor's Gaussian, V_T - 1 = abar_T (s^2 - 1). */
static void evaluate_start(const struct radial_level *level, size_t anchor, size_t count, const double *rho,
                           double *log_ratio)
{
    double s = level->factor->sd[anchor], excess = level->level.alpha_bar * (s - 1.0) * (s + 1.0);
    radial_level_evaluate(level, anchor, count, rho, log_ratio, NULL);
    for (size_t j = 0; j < count; j++)
        log_ratio[j] = 0.5 * level->dimension * log1p(excess)
                       - 0.5 * rho[j] * rho[j] * excess * level->inverse_variance[anchor] - log_ratio[j];
}

static enum status start(void *state, struct norms *local, struct error *error)
{
    struct radial *radial = state;
    const struct radial_level *level = &radial->level[0];
    struct norm_sums sums = {0.0, 0.0, 0.0};
    radial->narrow = 1.0 / sqrt(level->level.alpha_bar);
    TRY(radial_panels_lay_out(level, radial->run->resolution, 1.0, &radial->grid[0], error));
    for (size_t p = 0; p < radial->grid[0].count; p++) {
        struct panel *panel = &radial->grid[0].panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_density[PANEL_PROBES];
        size_t n = radial_panel_nodes(&radial->basis, panel, x);
        evaluate_start(level, panel->anchor, n, x, value);
        radial_panel_fit(&radial->basis, value, panel);
        panel_probes(panel, x);
        evaluate_start(level, panel->anchor, PANEL_PROBES, x, value);
        panel_evaluate(panel, 0.0, PANEL_PROBES, x, made);
        radial_level_log_density(level, PANEL_PROBES, x, log_density);
        panel_add_errors(panel, log_density, value, made, NULL, &sums);
    }
    *local = norms_beyond(norms_of(sums), PROBE_MISSES, 0.0);
    return STATUS_OK;
}

/* A linear score error is one along x, of the same slope in every coordinate. */
static void set_oracle(struct radial *radial, const struct step *step, size_t from, size_t to,
                       struct radial_level *other, struct radial_oracle *oracle)
{
    const struct law_problem *problem = radial->run->problem;
    struct level level[SAMPLER_LEVELS];
    oracle->levels = sampler_levels(problem->sampler, step, level);
    oracle->density[0] = &radial->level[from];
    oracle->density[1] = &radial->level[to];
    for (size_t i = 0; i < oracle->levels; i++) {
        struct error_level at;
        if (i >= 2) {
            radial_level_set(&other[i - 2], &level[i]);
            oracle->density[i] = &other[i - 2];
        }
        mixture_level_set(&radial->coordinate, &level[i]);
        propagation_score_error(radial->run, i, problem->error_share / (double)problem->factor->dimension,
                                &radial->coordinate, &at);
        oracle->error_slope[i] = at.shape != NULL ? at.amplitude * at.scale : 0.0;
    }
}

static void set_score(void *state, size_t from, size_t to)
{
    struct radial *radial = state;
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS];
    set_oracle(radial, &radial->run->step, from, to, radial->other, &radial->oracle);
    if (radial->run->problem->sampler->draws == 0)
        return;
    radial->draws = sampler_draws(radial->run->problem->sampler, draw, weight);
    for (size_t k = 0; k < radial->draws; k++) {
        struct radial_draw *at = &radial->draw[k];
        at->step = radial->run->step;
        at->step.draw = draw[k];
        at->weight = weight[k];
        set_oracle(radial, &at->step, from, to, at->other, &at->oracle);
    }
}

/* ---- The density of the radius ---- */

struct radial_density {
    struct law_density base;
    struct radial_level level;
};

static void log_density(const struct law_density *density, const struct panel *panel, size_t n, const double *x,
                        double *out)
{
    (void)panel;
    radial_level_log_density(&((const struct radial_density *)density)->level, n, x, out);
}

static void log_part(const struct law_density *density, const struct panel *panel, size_t k, size_t n,
                     const double *x, double *out)
{
    (void)panel;
    radial_level_log_part(&((const struct radial_density *)density)->level, k, n, x, out);
}

/* Nothing lies beyond the origin. */
static double density_sd(const struct law_density *density, const struct panel *panel)
{
    if (panel->edge[0] == 0.0)
        return 0.0;
    return SHELL_WIDTH * ((const struct radial_density *)density)->level.sd[panel->anchor];
}

static void radial_density_free(struct law_density *density)
{
    radial_level_free(&((struct radial_density *)density)->level);
    free(density);
}

static enum status radial_density_copy(const struct law_density *density, struct law_density **out,
                                       struct error *error);

static enum status density_new(const struct factor *factor, const struct level *level, struct law_density **out,
                               struct error *error)
{
    struct radial_density *density = array_new(1, sizeof *density);
    *out = NULL;
    if (density == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a density");
    density->base = (struct law_density){.log_density = log_density,
                                         .log_part = log_part,
                                         .sd = density_sd,
                                         .copy = radial_density_copy,
                                         .free = radial_density_free};
    enum status status = radial_level_new(factor, &density->level, error);
    if (status != STATUS_OK) {
        free(density);
        return status;
    }
    radial_level_set(&density->level, level);
    *out = &density->base;
    return STATUS_OK;
}

static enum status radial_density_copy(const struct law_density *density, struct law_density **out,
                                       struct error *error)
{
    const struct radial_level *level = &((const struct radial_density *)density)->level;
    return density_new(level->factor, &level->level, out, error);
}

static enum status finish(void *state, size_t slot, struct law *out, struct error *error)
{
    struct radial *radial = state;
    TRY(density_new(radial->run->problem->factor, &radial->level[slot].level, &out->density, error));
    out->log_ratio = radial->grid[slot];
    radial->grid[slot] = (struct panels){0};
    for (size_t i = 0; i < team_threads(radial->run->team); i++)
        out->node_updates += radial->threads.work[i].node_updates;
    return STATUS_OK;
}

static const struct geometry geometry = {
    .check_stride = RADIAL_CHECK_STRIDE,
    .new = radial_new,
    .free = radial_free,
    .set_level = set_level,
    .start = start,
    .set_score = set_score,
    .prepare_stage = radial_stage_prepare,
    .fill_stage = radial_stage_fill,
    .correction_moments = radial_correction_moments,
    .finish = finish,
};

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    return propagate(&geometry, &engine_radial, problem, resolution, out, error);
}

static int concentric(const struct factor *factor)
{
    if (factor->full != NULL)
        return 0;
    for (size_t i = 0; factor->mean != NULL && i < factor->dimension * factor->components; i++)
        if (factor->mean[i] != 0.0)
            return 0;
    return 1;
}

/* Of score errors only one along x leaves the law radial. */
static int handles(const struct law_problem *problem)
{
    const struct score_error *error = problem->score_error;
    int radial = !(problem->error_share > 0.0) || error->shape == NULL
                 || (error->shape->proportional && error->spread == SPREAD_ALL);
    return problem->factor->dimension > 1 && concentric(problem->factor) && radial
           && !conditions_broken(problem->conditions, CONDITION_ROTATES);
}

const struct law_engine engine_radial = {
    .name = "radial",
    .doc = "Density-ratio propagation in the radius, for mixtures of isotropic Gaussians around one point in any "
           "dimension.",
    .formula = "as `line`, with r a function of |x|, D_t(x) = kappa(|x|) x and the angle between x and y integrated",
    .source = "theory (14)-(15), with the angle integrated",
    .draws = true,
    .handles = handles,
    .compute = compute,
};
