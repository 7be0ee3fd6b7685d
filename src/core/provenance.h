/* What made a result: this build, the libraries it runs with, the machine and the command. */
#ifndef CORE_PROVENANCE_H
#define CORE_PROVENANCE_H

/* Every member is a valid string; a text too long for its member is cut and ends in "...". */
struct provenance {
    char version[64];
    char commit[96]; /* as the Makefile found it, with its mark for uncommitted changes */
    char compiler[128];
    char flags[1000];
    char libraries[256]; /* versions of the libraries loaded now, not of the headers compiled with */
    char host[256];      /* host name and CPU model */
    char command[4000];  /* quoted so that a shell reads it back as it was */
};

/* Fills *out. Never fails: what cannot be found out is "unknown". */
void provenance_collect(int argc, char **argv, struct provenance *out);

#endif
