package suites

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"flowproof/drivers/oauth"
	"flowproof/reports"
)

// passiveRows are the rows that judge every answer of the token endpoint (RFC 6749 §5.1, §5.2).
func passiveRows() []passiveRow {
	issued := func(x oauth.Exchange) bool { return succeeded(x) && x.IssuedToken() }
	with := func(member string) func(oauth.Exchange) bool {
		return func(x oauth.Exchange) bool { return issued(x) && members(x)[member] != nil }
	}
	return []passiveRow{
		{"RFC6749-5.1-status-200-json", succeeded, judgeStatusJSON},
		{"RFC8259-8.1-json-wellformed", isJSON, judgeWellFormed},
		{"RFC6749-5.1-access-token-present", func(x oauth.Exchange) bool { return succeeded(x) && !wrapped(x) && members(x) != nil }, judgeAccessToken},
		{"RFC6750-2.1-b64token-syntax", issued, judgeTokenSyntax},
		{"RFC6749-5.1-token-type-present", issued, func(x oauth.Exchange) opinion {
			return violation(members(x)["token_type"] == nil, "the answer names no token_type")
		}},
		{"RFC6749-7.1-token-type-bearer", with("token_type"), func(x oauth.Exchange) opinion {
			text, is := members(x)["token_type"].(string)
			return violation(!is || !strings.EqualFold(text, "bearer"), "token_type is %s", shown(members(x)["token_type"]))
		}},
		{"RFC6749-5.1-expires-in-present", issued, func(x oauth.Exchange) opinion {
			return violation(members(x)["expires_in"] == nil, "the answer does not say how long the token lives")
		}},
		{"RFC6749-5.1-expires-in-number", with("expires_in"), judgeExpiresIn},
		{"RFC6749-3.3-scope-syntax", with("scope"), func(x oauth.Exchange) opinion {
			text, is := members(x)["scope"].(string)
			return violation(!is || (text != "" && !scopeSyntax.MatchString(text)), "scope is %s", shown(members(x)["scope"]))
		}},
		{"RFC6749-5.1-cache-control", func(x oauth.Exchange) bool { return succeeded(x) || refused(x) }, judgeNoStore},
		{"RFC6749-5.1-pragma", issued, func(x oauth.Exchange) opinion {
			return violation(!directive(x.Header.Values("Pragma"), "no-cache"), "the answer has no Pragma: no-cache")
		}},
		{"RFC6749-5.2-error-status-json", refused, judgeErrorStatus},
		{"RFC6749-5.2-error-registered-code", func(x oauth.Exchange) bool { return refused(x) && x.ErrorCode() != "" }, judgeErrorCode},
		{"RFC6749-5.2-error-text-charset", func(x oauth.Exchange) bool { return refused(x) && members(x) != nil }, judgeErrorText},
		{"RFC6750-5.3-short-lifetime", with("expires_in"), func(x oauth.Exchange) opinion {
			t, _ := x.Token()
			return violation(t.ExpiresIn > 3600, "the token lives for %.0f seconds", t.ExpiresIn)
		}},
	}
}

// besideRows are those rows that hold for the endpoints beside the token endpoint, too.
func besideRows() []passiveRow {
	told := func(x oauth.Exchange) bool { return isJSON(x) && refused(x) && members(x) != nil }
	return []passiveRow{
		{"RFC8259-8.1-json-wellformed", func(x oauth.Exchange) bool { return isJSON(x) && len(x.Body) > 0 }, judgeWellFormed},
		{"RFC6749-5.2-error-status-json", told, func(x oauth.Exchange) opinion {
			return violation(x.ErrorCode() == "", "an error comes without the member error")
		}},
		{"RFC6749-5.2-error-status-json", func(x oauth.Exchange) bool { return x.Status >= 500 && x.Status != http.StatusServiceUnavailable }, func(x oauth.Exchange) opinion {
			return opinion{reports.Warn, fmt.Sprintf("the server broke down where it had to refuse: the status is %d", x.Status)}
		}},
		{"RFC6749-5.2-error-registered-code", func(x oauth.Exchange) bool { return told(x) && x.ErrorCode() != "" }, func(x oauth.Exchange) opinion {
			if code := x.ErrorCode(); code == "invalid_token" || code == "insufficient_scope" { // who may introspect may be shown by a token
				return opinion{}
			}
			op := judgeErrorCode(x)
			if op.worse == reports.Fail { // clients go by the status there
				op.worse = reports.Warn
			}
			return op
		}},
		{"RFC6749-5.2-error-text-charset", told, judgeErrorText},
	}
}

func isJSON(x oauth.Exchange) bool { return x.Status < 500 && mediaType(x) == "application/json" }

var (
	scopeSyntax = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$`) // RFC 6749 §3.3
	b64token    = regexp.MustCompile(`^[A-Za-z0-9\-._~+/]+=*$`)                                  // RFC 6750 §2.1
	escaped     = regexp.MustCompile(`^([A-Za-z0-9\-._~+/]|%[0-9A-Fa-f]{2})+=*$`)                // what old deployments of Space had
	vschar      = regexp.MustCompile(`^[\x20-\x7e]+$`)                                           // RFC 6749 appendix A
	errorText   = regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]*$`)                          // RFC 6749 §5.2
	controls    = regexp.MustCompile(`[\x00-\x1f\x7f]`)
)

// errorCodes are those of RFC 6749 §5.2 and of the registered extensions that a token endpoint answers with.
var errorCodes = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"access_denied", "authorization_pending", "slow_down", "expired_token", "invalid_target", "unsupported_token_type",
	"invalid_dpop_proof", "use_dpop_nonce", "server_error", "temporarily_unavailable",
}

func violation(is bool, format string, args ...any) opinion {
	if !is {
		return opinion{}
	}
	return opinion{reports.Fail, fmt.Sprintf(format, args...)}
}

// succeeded is an answer that means success, whatever else is wrong with it.
func succeeded(x oauth.Exchange) bool { return x.Status/100 == 2 && x.ErrorCode() == "" }

// refused is an answer that means an error.
func refused(x oauth.Exchange) bool {
	return x.Status/100 == 4 || x.Status/100 == 5 || (x.Status/100 == 2 && x.ErrorCode() != "" && !x.IssuedToken())
}

func members(x oauth.Exchange) map[string]any {
	m, err := x.JSON()
	if err != nil {
		return nil
	}
	return m
}

// wrapped says whether the members of a token answer are nested in another object.
func wrapped(x oauth.Exchange) bool {
	for _, v := range members(x) {
		if inner, is := v.(map[string]any); is && inner["access_token"] != nil {
			return true
		}
	}
	return false
}

func mediaType(x oauth.Exchange) string {
	t, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(strings.TrimSpace(x.Header.Get("Content-Type")))
	}
	return t
}

func judgeStatusJSON(x oauth.Exchange) opinion {
	switch {
	case x.Status != 200:
		return violation(true, "the status is %d", x.Status)
	case mediaType(x) != "application/json":
		return violation(true, "the content type is %q", mediaType(x))
	case members(x) == nil:
		return violation(true, "the body is not one JSON object")
	default:
		return violation(wrapped(x), "the members are nested in another object")
	}
}

// judgeWellFormed reads the body as RFC 8259 asks: UTF-8, no mark before, nothing after, names once (a SHOULD, but for those that OAuth defines).
func judgeWellFormed(x oauth.Exchange) opinion {
	switch {
	case len(bytes.TrimSpace(x.Body)) == 0:
		return violation(true, "the body is empty")
	case bytes.HasPrefix(x.Body, []byte("\xef\xbb\xbf")):
		return violation(true, "the body begins with a byte-order mark")
	case !utf8.Valid(x.Body):
		return violation(true, "the body is not UTF-8")
	case !json.Valid(x.Body):
		return violation(true, "the body is not one well-formed JSON text")
	}
	switch name := repeated(x.Body); name {
	case "":
	case "access_token", "token_type", "expires_in", "refresh_token", "scope": // RFC 6749 §3.2 forbids a parameter twice
		return violation(true, "the member %q comes twice", name)
	default:
		return opinion{reports.Warn, fmt.Sprintf("the member %q comes twice", name)}
	}
	return opinion{}
}

// repeated is a member name that a JSON object holds twice at top level.
func repeated(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	seen, depth, name := map[string]bool{}, 0, true
	for {
		t, err := d.Token()
		if err == io.EOF || err != nil {
			return ""
		}
		switch v := t.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			name = true
		case string:
			if depth == 1 && name {
				if seen[v] {
					return v
				}
				seen[v], name = true, false
				continue
			}
			name = true
		default:
			name = true
		}
	}
}

func judgeAccessToken(x oauth.Exchange) opinion {
	text, is := members(x)["access_token"].(string)
	return violation(!is || text == "", "access_token is %s", shown(members(x)["access_token"]))
}

func judgeTokenSyntax(x oauth.Exchange) opinion {
	t, _ := x.Token()
	if escaped.MatchString(t.AccessToken) && !b64token.MatchString(t.AccessToken) {
		return opinion{reports.Warn, "the access token holds percent escapes, which a Bearer header cannot carry"}
	}
	if !b64token.MatchString(t.AccessToken) {
		return violation(true, "the access token holds characters that a Bearer header cannot carry")
	}
	return violation(t.RefreshToken != "" && !vschar.MatchString(t.RefreshToken), "the refresh token holds characters that are not printable ASCII")
}

func judgeExpiresIn(x oauth.Exchange) opinion {
	n, is := members(x)["expires_in"].(json.Number)
	if !is {
		return violation(true, "expires_in is %s, not a number: clients with typed readers cannot use it", shown(members(x)["expires_in"]))
	}
	whole, err := n.Int64()
	return violation(err != nil || whole < 0, "expires_in is %s", n)
}

// judgeNoStore wants the directive on the very answer that carries the token; errors should have it too.
func judgeNoStore(x oauth.Exchange) opinion {
	if directive(x.Header.Values("Cache-Control"), "no-store") {
		return opinion{}
	}
	if !succeeded(x) {
		return opinion{reports.Warn, "an error answer has no Cache-Control: no-store"}
	}
	return violation(true, "a token answer has no Cache-Control: no-store")
}

// directive says whether a list header, over all its lines, holds the directive.
func directive(lines []string, want string) bool {
	for _, d := range strings.Split(strings.Join(lines, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(d), want) {
			return true
		}
	}
	return false
}

func judgeErrorStatus(x oauth.Exchange) opinion {
	code := x.ErrorCode()
	switch {
	case x.Status >= 500 && x.Status != 503:
		return violation(true, "the status is %d", x.Status)
	case x.Status == 503 || x.Status == 429:
		return opinion{}
	case mediaType(x) != "application/json":
		return violation(true, "an error comes as %q", mediaType(x))
	case code == "":
		return violation(true, "an error comes without the member error")
	case x.Status == 400 || (x.Status == 401 && code == "invalid_client"):
		return opinion{}
	default: // the code is right; several large providers differ in the status alone
		return opinion{reports.Warn, fmt.Sprintf("%s comes with status %d", code, x.Status)}
	}
}

func judgeErrorCode(x oauth.Exchange) opinion {
	code := x.ErrorCode()
	if slices.Contains(errorCodes, code) {
		return opinion{}
	}
	if slices.Contains([]string{"authentication-required", "permission-denied", "rate-limited", "validation-error"}, code) {
		return opinion{reports.Warn, fmt.Sprintf("the error is %q, a word of Space's API and not of OAuth", code)}
	}
	return violation(true, "the error is %q", code)
}

func judgeErrorText(x oauth.Exchange) opinion {
	for _, name := range []string{"error", "error_description"} {
		value := members(x)[name]
		text, is := value.(string)
		switch {
		case value == nil:
		case !is: // RFC 6749 §5.2: they are JSON strings
			return violation(true, "%s is %s, not a text", name, shown(value))
		case errorText.MatchString(text):
		case name == "error" || controls.MatchString(text):
			return violation(true, "%s is %q", name, text)
		default: // quotes and accents in descriptions are widespread and harmless
			return opinion{reports.Warn, fmt.Sprintf("error_description holds quotes, backslashes or letters beyond ASCII: %q", text)}
		}
	}
	return opinion{}
}

// shown is a JSON value for a message; it never shows a token.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "missing or null"
	case string:
		if len(v) > 20 {
			return fmt.Sprintf("a text of %d characters", len(v))
		}
		return fmt.Sprintf("the text %q", v)
	case json.Number:
		return "the number " + v.String()
	case bool:
		return "a truth value"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
