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
    return fail_with(
        error, STATUS_NUMERIC,
        "the grid holds %.3g of the mass of the law of %s: the law is much narrower than its target, or has "
        "left its support",
        mass, sampler);
}

struct norms panels_resample(const struct panels *from, const struct mixture_level *mixture,
                             const struct chebyshev *chebyshev, struct panels *to)
{
    size_t hint = 0, probe_hint = 0;
    struct norm_sums sums = {0.0, 0.0, 0.0};
    for (size_t p = 0; p < to->count; p++) {
        struct panel *panel = &to->panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_density[PANEL_PROBES],
            log_own[PANEL_PROBES];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * chebyshev->node[j];
        panels_evaluate(from, mixture, panel->anchor, PANEL_NODES, x, value, &hint);
        panel_fit(chebyshev, value, panel);
        panel_probes(panel, x);
        panels_evaluate(from, mixture, panel->anchor, PANEL_PROBES, x, value, &probe_hint);
        panel_evaluate(panel, 0.0, PANEL_PROBES, x, made);
        mixture_level_evaluate(mixture, panel->anchor, PANEL_PROBES, x, log_density, NULL);
        mixture_level_log_own(mixture, panel->anchor, PANEL_PROBES, x, log_own);
        panel_add_errors(panel, log_density, value, made, log_own, &sums);
    }
    return norms_of(sums);
}
