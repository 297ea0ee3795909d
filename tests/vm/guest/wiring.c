/* The wiring of a box (docs/wiring.md): what drives the lamp is what the sensor in it sees and what feeds the microphone.
 * Copies REC_EN (23) to LAMP_SEEN (25) and MIC_RAIL (27) of the simulated chip every 5 ms. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES "/run/vm/lines/sim_gpio"

static void set(const char *path, int on)
{
	const char *pull = on ? "pull-up" : "pull-down";
	int file = open(path, O_WRONLY);

	if (file < 0 || write(file, pull, strlen(pull)) < 0)
		perror(path);
	if (file >= 0)
		close(file);
}

int main(void)
{
	const struct timespec pause = { 0, 5000000 };
	int before = -1;

	for (;; nanosleep(&pause, NULL)) {
		char value = '0';
		int file = open(LINES "23/value", O_RDONLY);

		if (file < 0 || read(file, &value, 1) != 1)
			perror("REC_EN");
		if (file >= 0)
			close(file);
		if (value - '0' == before)
			continue;
		before = value - '0';
		if (access("/run/vm/lamp-broken", F_OK) != 0)
			set(LINES "25/pull", before);
		set(LINES "27/pull", before);
	}
}
