package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
)

// Find returns the browser binary at path, or the first one found on the machine when path is empty.
// The error says how to install one.
func Find(path string) (string, error) { return find(path, false) }

func find(path string, headed bool) (string, error) {
	if path != "" {
		found, err := exec.LookPath(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("browser: there is no %s on this machine", path)
		}
		if err != nil {
			return "", fmt.Errorf("browser: %s is no program that can be run: %w", path, err)
		}
		return found, nil
	}
	for _, name := range places(runtime.GOOS, headed) {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	if headed {
		return "", errors.New("browser: no Chromium with a window found on this machine: install one (Debian and Ubuntu: apt-get install chromium), or name its binary")
	}
	return "", errors.New("browser: no Chromium found on this machine: install one (Debian: apt-get install chromium-headless-shell; elsewhere: chromium or Google Chrome), or name its binary")
}

// Unconfined reports whether the browser runs without its own sandbox, which it cannot have as root.
func Unconfined() bool { return os.Getuid() == 0 }

// places lists where browsers are, the fastest to start first. Debian's command is a shell script which
// would stand between us and the browser, so the binary itself comes before it.
func places(system string, headed bool) []string {
	var shells []string
	if !headed {
		shells = []string{"/usr/lib/chromium/chromium-headless-shell", "chromium-headless-shell", "chrome-headless-shell", "headless_shell", "headless-shell"}
	}
	full := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "/snap/bin/chromium"}
	switch system {
	case "darwin":
		full = append(full, "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
	case "windows":
		full = append(full, `C:\Program Files\Google\Chrome\Application\chrome.exe`, `C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`, "msedge")
	}
	return append(shells, full...)
}
