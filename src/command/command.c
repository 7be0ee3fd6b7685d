#include "command/command.h"

#include <stdio.h>

#include "verdict/claims.h"

int command_fail(const struct error *error)
{
    /* Messages about a spec begin with FILE:LINE:COL and are left as they are, for editors that jump there. */
    if (error->status == STATUS_INVALID)
        fprintf(stderr, "%s\n", error->text);
    else
        fprintf(stderr, "diffrate: %s\n", error->text[0] != '\0' ? error->text : status_sentence(error->status));
    return error->status == STATUS_INVALID || error->status == STATUS_INADMISSIBLE ? EXIT_INPUT : EXIT_FAILED;
}

enum status command_load_spec(const char *path, struct spec *spec, struct error *error)
{
    return spec_load(path, claim_names(), spec, error);
}
