#include "law/resample.h"

#include <math.h>

#include "core/elementary.h"

const double panel_probe[PANEL_PROBES] = {-0.99, -0.42, 0.33, 0.97};

struct error_norms panels_resample(const struct panels *from, const struct mixture_level *mixture,
                                   const struct chebyshev *chebyshev, struct panels *to)
{
    size_t hint = 0, probe_hint = 0;
    struct error_norms missed = {0.0, 0.0};
    for (size_t p = 0; p < to->count; p++) {
        struct panel *panel = &to->panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_density[PANEL_PROBES];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * chebyshev->node[j];
        panels_evaluate(from, mixture, panel->anchor, PANEL_NODES, x, value, &hint);
        panel_fit(chebyshev, value, panel);
        for (int j = 0; j < PANEL_PROBES; j++)
            x[j] = panel->centre + panel->half_width * panel_probe[j];
        panels_evaluate(from, mixture, panel->anchor, PANEL_PROBES, x, value, &probe_hint);
        panel_evaluate(panel, 0.0, PANEL_PROBES, x, made);
        mixture_level_evaluate(mixture, panel->anchor, PANEL_PROBES, x, log_density, NULL);
        for (int j = 0; j < PANEL_PROBES; j++) {
            double weight = exp_of(log_density[j] + value[j]) * 2.0 * panel->half_width / PANEL_PROBES;
            double relative = expm1_of(made[j] - value[j]);
            missed.l1 += weight * fabs(relative);
            missed.l2 += weight * relative * relative;
        }
    }
    missed.l2 = sqrt(missed.l2);
    return missed;
}
