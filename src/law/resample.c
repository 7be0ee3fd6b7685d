#include "law/resample.h"

#include <math.h>

#include "core/vmath.h"

void panel_probes(const struct panel *panel, double *x)
{
    static const double place[PANEL_PROBES] = {-0.99, -0.42, 0.33, 0.97};
    for (int j = 0; j < PANEL_PROBES; j++)
        x[j] = panel->centre + panel->half_width * place[j];
}

void panel_add_errors(const struct panel *panel, const double *log_density, const double *log_ratio,
                      const double *made, const double *log_own, struct norm_sums *sums)
{
    double part = 2.0 * panel->half_width / PANEL_PROBES, relative[PANEL_PROBES], mass[PANEL_PROBES],
           own[PANEL_PROBES];
    for (int j = 0; j < PANEL_PROBES; j++) {
        relative[j] = made[j] - log_ratio[j];
        mass[j] = log_density[j] + log_ratio[j];
        own[j] = log_own != NULL ? log_own[j] + log_ratio[j] : -HUGE_VAL;
    }
    vexpm1(PANEL_PROBES, relative, relative);
    vexp(PANEL_PROBES, mass, mass);
    if (log_own != NULL)
        vexp(PANEL_PROBES, own, own);
    for (int j = 0; j < PANEL_PROBES; j++) {
        norm_sums_add(sums, mass[j] * part, relative[j]);
        if (log_own != NULL)
            norm_sums_add_own(sums, own[j] * part, relative[j]);
    }
}

enum status check_probed_mass(double mass, const char *sampler, struct error *error)
{
    if (fabs(mass - 1.0) <= PROBE_MASS_MISSED)
        return STATUS_OK;
    if (mass > 1.0)
        return fail_with(
            error, STATUS_NUMERIC,
            "the law of %s has %.3g times its mass on the grid, which does not resolve it: the steps are "
            "too large",
            sampler, mass);
    return fail_with(
        error, STATUS_NUMERIC,
        "the grid holds %.3g of the mass of the law of %s: the law is much narrower or much wider than its "
        "target, or has left its support",
        fmax(mass, 0.0), sampler);
}

struct resampling {
    const struct panels *from;
    const struct mixture_level *mixture;
    const struct chebyshev *chebyshev;
    struct panels *to;
};

enum { TOGETHER = 8 };

static enum status resample(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                            struct error *error)
{
    const struct resampling *resampling = context;
    const struct mixture_level *mixture = resampling->mixture;
    struct panel *panel = &resampling->to->panel[from];
    double x[TOGETHER * PANEL_NODES] = {0.0}, value[TOGETHER * PANEL_NODES], made[PANEL_PROBES];
    double log_density[TOGETHER * PANEL_PROBES], log_own[TOGETHER * PANEL_PROBES];
    size_t hint = from, panels = to - from, anchor = panel->anchor;
    (void)thread;
    (void)error;
    for (size_t i = 0; i < panels; i++)
        panel_nodes(resampling->chebyshev, &panel[i], x + i * PANEL_NODES);
    panels_evaluate(resampling->from, mixture, anchor, panels * PANEL_NODES, x, value, &hint);
    for (size_t i = 0; i < panels; i++) {
        panel_fit(resampling->chebyshev, value + i * PANEL_NODES, &panel[i]);
        panel_probes(&panel[i], x + i * PANEL_PROBES);
    }
    panels_evaluate(resampling->from, mixture, anchor, panels * PANEL_PROBES, x, value, &hint);
    mixture_level_evaluate(mixture, anchor, panels * PANEL_PROBES, x, log_density, NULL);
    mixture_level_log_own(mixture, anchor, panels * PANEL_PROBES, x, log_own);
    for (size_t i = 0, at = 0; i < panels; i++, at += PANEL_PROBES) {
        panel_evaluate(&panel[i], 0.0, PANEL_PROBES, x + at, made);
        panel_add_errors(&panel[i], log_density + at, value + at, made, log_own + at, &sums->errors);
    }
    return STATUS_OK;
}

enum status panels_resample(struct panel_groups *groups, const struct panels *from,
                            const struct mixture_level *mixture, const struct chebyshev *chebyshev, struct panels *to,
                            struct norms *error_norms, struct error *error)
{
    struct resampling resampling = {from, mixture, chebyshev, to};
    struct panel_sums sums;
    bool shared = to->count * mixture->factor->components > SHARED_RESAMPLING;
    TRY(panel_groups_run(groups, to, TOGETHER, shared, resample, &resampling, &sums, error));
    *error_norms = norms_of(sums.errors);
    return STATUS_OK;
}
