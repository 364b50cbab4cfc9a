package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

func resourceProbes() []probe {
	mobile := s256()
	renew := func(b *bench, name, rt string, kv ...string) reply {
		return b.token(name, append([]string{"grant_type", "refresh_token", "refresh_token", rt}, kv...)...)
	}
	service := func(b *bench, kv ...string) string {
		return b.token("service", append([]string{"grant_type", "client_credentials"}, kv...)...).text("access_token")
	}
	header := func(b *bench, path, value string) reply {
		req := b.request("GET", path, "")
		if value != "" {
			req.Header.Set("Authorization", value)
		}
		return b.do(req)
	}
	const pairScope = "global:Profile.View global:Project.View"
	return []probe{
		{"refresh-same-token", func(b *bench) bool {
			first, rt := b.refresh("web", s256()...)
			next := renew(b, "web", rt).text("access_token")
			return next != first && b.api(next, pathMe).status == 200
		}},
		{"refresh-no-auth", func(b *bench) bool {
			_, rt := b.refresh("web", s256()...)
			body := values("grant_type", "refresh_token", "refresh_token", rt)
			bare := b.raw("POST", "", body.Encode(), "")
			body.Set("client_id", b.client("web").id)
			return is(bare, 401, "invalid_client") && is(b.raw("POST", "", body.Encode(), ""), 401, "invalid_client")
		}},
		{"refresh-any-client", func(b *bench) bool {
			_, rt := b.refresh("web", s256()...)
			return is(renew(b, "partner", rt), 400, "invalid_grant")
		}},
		{"refresh-signature-unchecked", func(b *bench) bool {
			_, rt := b.refresh("web", s256()...)
			return is(renew(b, "web", rt[:20]+"A"+rt[21:]+"x"), 400, "invalid_grant")
		}},
		{"refresh-default-scope-all", func(b *bench) bool {
			_, rt := b.refresh("web", append(s256(), "scope", pairScope)...)
			return renew(b, "web", rt).text("scope") == pairScope
		}},
		{"refresh-ignores-scope", func(b *bench) bool {
			_, rt := b.refresh("web", append(s256(), "scope", pairScope)...)
			return renew(b, "web", rt, "scope", "global:Profile.View").text("scope") == "global:Profile.View"
		}},
		{"refresh-widens-scope", func(b *bench) bool {
			_, rt := b.refresh("web", append(s256(), "scope", pairScope)...)
			return is(renew(b, "web", rt, "scope", "global:Team.View"), 400, "invalid_scope")
		}},
		{"rotation-narrows", func(b *bench) bool {
			_, rt := b.refresh("web", append(s256(), "scope", pairScope)...)
			next := renew(b, "web", rt, "scope", "global:Profile.View").text("refresh_token")
			return renew(b, "web", next).text("scope") == pairScope
		}},
		{"no-rotation-public", func(b *bench) bool {
			_, rt := b.refresh("mobile", mobile...)
			return renew(b, "mobile", rt).text("refresh_token") != ""
		}},
		{"old-refresh-alive", func(b *bench) bool {
			_, rt := b.refresh("mobile", mobile...)
			renew(b, "mobile", rt)
			return renew(b, "mobile", rt).status == 400
		}},
		{"reuse-not-detected", func(b *bench) bool {
			_, rt := b.refresh("mobile", mobile...)
			next := renew(b, "mobile", rt).text("refresh_token")
			renew(b, "mobile", rt)
			return renew(b, "mobile", next).status == 400
		}},

		{"bearer-header-ignored", func(b *bench) bool { return b.api(service(b), pathProfiles).status == 200 }},
		{"bearer-case-sensitive", func(b *bench) bool { return header(b, pathProfiles, "bearer "+service(b)).status == 200 }},
		{"no-bearer-challenge", func(b *bench) bool {
			return strings.HasPrefix(header(b, pathProfiles, "").header.Get("WWW-Authenticate"), "Bearer realm=")
		}},
		{"error-without-credentials", func(b *bench) bool {
			return !strings.Contains(header(b, pathProfiles, "").header.Get("WWW-Authenticate"), "error")
		}},
		{"invalid-token-500", func(b *bench) bool { return is(b.api("abc", pathProfiles), 401, "authentication-required") }},
		{"scope-not-checked", func(b *bench) bool {
			r := b.api(service(b, "scope", "global:Profile.View"), pathProjects)
			return is(r, 403, "permission-denied") && strings.Contains(r.header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
		}},
		{"bearer-empty-500", func(b *bench) bool {
			return header(b, pathProfiles, "Bearer").status == 400 && header(b, pathProfiles, "Bearer a b").status == 400
		}},
		{"query-token-accepted", func(b *bench) bool { return b.api("", pathProfiles+"?access_token="+service(b)).status == 401 }},
		{"accept-alg-none", func(b *bench) bool {
			parts := strings.Split(service(b), ".")
			none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"nOnE"}`))
			return b.api(none+"."+parts[1]+".", pathProfiles).status == 401
		}},
		{"refresh-token-as-bearer", func(b *bench) bool {
			_, rt := b.refresh("web", s256()...)
			return b.api(rt, pathProfiles).status == 401
		}},

		{"space-cc-reads-user-data", func(b *bench) bool { return is(b.api(service(b), pathMe), 403, "permission-denied") }},
		{"space-exp-disagrees", func(b *bench) bool {
			c := readClaims(service(b))
			return c.Expires-c.Issued == 600
		}},
		{"space-jwks-stale", func(b *bench) bool {
			var set jose.JSONWebKeySet
			if json.Unmarshal([]byte(b.do(b.request("GET", pathKeys, "")).body), &set) != nil || len(set.Keys) != 1 {
				return false
			}
			signed, err := jose.ParseSignedCompact(service(b), []jose.SignatureAlgorithm{jose.RS512})
			if err != nil {
				return false
			}
			_, err = signed.Verify(set.Keys[0])
			return err == nil
		}},
		{"space-html-errors", func(b *bench) bool {
			return b.api("abc", pathProfiles).json != nil && b.api(service(b, "scope", "global:Profile.View"), pathProjects).json != nil
		}},
		{"space-revocation-ignored", func(b *bench) bool {
			access, _ := b.refresh("web", s256()...)
			id := refreshTokenID(b, access)
			req := b.request("DELETE", pathConsents+"/me/refresh-tokens/"+id, "")
			req.Header.Set("Authorization", "Bearer "+access)
			b.do(req)
			r := b.api(access, pathMe)
			return is(r, 401, "authentication-required") && r.text("error_description") == whyRevoked
		}},
	}
}

func readClaims(value string) claims {
	var c claims
	if parts := strings.Split(value, "."); len(parts) == 3 {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(raw, &c)
	}
	return c
}

// refreshTokenID is that of the first refresh token in the list of consents.
func refreshTokenID(b *bench, access string) string {
	var list []struct {
		RefreshTokens []struct{ ID string }
	}
	_ = json.Unmarshal([]byte(b.api(access, pathConsents+"/me").body), &list)
	for _, c := range list {
		for _, rt := range c.RefreshTokens {
			return rt.ID
		}
	}
	return ""
}
