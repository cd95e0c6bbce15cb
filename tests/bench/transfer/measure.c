/* Runs a command and says what it and all its children cost.
 *
 *     measure RESULT COMMAND ...
 *
 * Writes "WALL_S CPU_S PEAK_KIB EXIT_CODE" to RESULT. It is this small because a child's peak of memory
 * begins with that of the process that started it. A command that a signal ended has 128 + its number.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int count, char **words) {
    if (count < 3) return 2;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* what a command leaves behind counts as well */
    double start = now();
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        execvp(words[2], words + 2);
        perror(words[2]);
        _exit(127);
    }
    int status = 0, first = 0;
    pid_t ended;
    while ((ended = wait(&status)) > 0)
        if (ended == child) first = status;
    double wall = now() - start;
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    int code = WIFEXITED(first) ? WEXITSTATUS(first) : 128 + WTERMSIG(first);
    FILE *out = fopen(words[1], "w");
    if (!out) return 1;
    fprintf(out, "%.6f %.6f %ld %d\n", wall, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, code);
    return fclose(out) ? 1 : 0;
}
