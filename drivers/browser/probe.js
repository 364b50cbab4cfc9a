// Runs in an isolated world of every page: it sees the page's DOM, and the page sees nothing of it.
// It tells the driver what kind of page this is, each time that changes, and acts when it is told to.
(() => {
	"use strict";
	if (window.top !== window) return;

	const words = {
		accept: /\b(accept|allow|approve|authori[sz]e|grant|agree|consent|permit|zulassen|erlauben|akzeptieren)\b/i,
		goOn: /\b(continue|yes|confirm|ok|okay|weiter|ja)\b/i,
		deny: /\b(deny|denied|decline|reject|refuse|cancel|disallow|disagree|do(n['’]t| not) (allow|accept|authori[sz]e|grant|agree)|no|not now|ablehnen|abbrechen|nein)\b/i,
		fewest: /\b(necessary|essential|required|notwendige\w*)\b/i,
		close: /\b(close|dismiss|got it|understood|schließen)\b|^[×✕x]$/i,
		asks: /\b(access|permissions?|authori[sz]\w*|consent|allow|grant|scopes?|approve)\b/i,
		submit: /\b(sign[ -]?in|log[ -]?(in|on)|continue|next|submit|verify|confirm|proceed|anmelden|weiter)\b/i,
		other: /\b(forgot\w*|reset|show|hide|sign[ -]?up|register|create|cancel|back|help|resend|passkey|sso|google|github|gitlab|facebook|apple|microsoft|twitter|linkedin|guest)\b/i,
		signOut: /\b(log|sign)[ -]?(out|off)\b|\babmelden\b/i,
		otp: /\b(otp|totp|2fa|mfa|tfa)\b|one[-_ ]?time|authenticator|(verification|security|two[-_ ]?factor|auth)[-_ ]?code|passcode/i,
		user: /user|log[-_ ]?in|e-?mail|account|identif|sign[-_ ]?in|benutzer/i,
		busy: /\b(loading|please wait|one moment|redirecting|just a moment)\b/i,
	};

	const roots = () => {
		const found = [document];
		for (let i = 0; i < found.length && found.length < 200; i++)
			for (const el of found[i].querySelectorAll("*")) if (el.shadowRoot) found.push(el.shadowRoot);
		return found;
	};
	let scopes = [document];
	const all = (selector) => scopes.flatMap((root) => [...root.querySelectorAll(selector)]);

	const visible = (el) => {
		if (!el.isConnected || el.closest("[aria-hidden=true],[inert]")) return false;
		if (!el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
		const box = el.getBoundingClientRect();
		return box.width > 1 && box.height > 1 && box.right + window.scrollX > 0 && box.bottom + window.scrollY > 0;
	};
	const clean = (text) => (text ?? "").replace(/\s+/g, " ").trim();
	const label = (el) => clean(el.innerText || (el.tagName === "INPUT" ? el.value || el.alt : "") || el.getAttribute("aria-label") || el.title);
	const hints = (el) =>
		[el.name, el.id, el.autocomplete, el.placeholder, el.getAttribute("aria-label"), ...[...(el.labels ?? [])].map((l) => l.innerText)].join(" ");

	const named = (el) => clean([...(el.labels ?? [])].map((l) => l.innerText).join(" ") || el.getAttribute("aria-label") || el.getAttribute("placeholder"));

	const fields = () => {
		const open = all("input").filter((el) => !el.disabled && !el.readOnly && visible(el));
		const text = (el) => ["text", "email", "tel", "number", "password", ""].includes(el.type);
		const digits = open.filter((el) => el.maxLength === 1 && text(el));
		const otp = digits.length >= 4 ? digits : open.filter((el) => text(el) && words.otp.test(hints(el)));
		const password = open.find((el) => el.type === "password" && !otp.includes(el));
		const names = open.filter((el) => ["text", "email", "tel"].includes(el.type) && !otp.includes(el) && !el.closest("[role=search]"));
		const named = (el) => /\b(username|email)\b/.test(el.autocomplete) || words.user.test(hints(el));
		// A name alone is asked for on the first of two pages; other fields for names, as of newsletters, are not for us.
		const first = (el) => /\busername\b/.test(el.autocomplete) || words.submit.test(label(submitOf(el)));
		const near = password ? names.filter((el) => el.form === password.form) : names.filter((el) => submitOf(el) && first(el));
		const username = near.find(named) ?? (password && near.length === 1 ? near[0] : undefined);
		return { username, password, otp };
	};

	// A banner about cookies is in the way, and never what the client asks for.
	const bannerWords = /banner|consent|notice|bar|pop|dialog|overlay|law|modal|message|wall/i;
	const bannerName = (word) => /^(cookies?|onetrust.*|usercentrics.*)$/i.test(word) || (/cookie/i.test(word) && bannerWords.test(word));
	const isBanner = (el) =>
		[el.getAttribute("id") ?? "", ...el.classList].some(bannerName) ||
		(el.matches("dialog,[role=dialog],[role=alertdialog]") && /\bcookies?\b/i.test(el.innerText) && !el.querySelector("input[type=password],input[type=text],input[type=email],input:not([type])"));
	const inBanner = (el) => {
		if (/\bcookies?\b/i.test(label(el))) return true;
		for (let at = el; at && at !== document.body && at !== document.documentElement; at = at.parentElement ?? at.getRootNode().host) if (isBanner(at)) return true;
		return false;
	};
	const dismissal = () => {
		const open = all(pressable).filter((el) => visible(el) && inBanner(el));
		const best = (pattern) => open.find((el) => pattern.test(label(el)));
		return best(words.deny) ?? best(words.fewest) ?? best(words.accept) ?? best(words.goOn) ?? best(words.close);
	};

	const buttons = (root) => [...root].filter((el) => /^(BUTTON|INPUT)$/.test(el.tagName) || el.getAttribute("role") === "button");
	const pressable = "button,input[type=submit],input[type=button],input[type=image],[role=button]";
	const submits = (el) => (el.tagName === "BUTTON" || el.tagName === "INPUT") && /^(submit|image)$/.test(el.type);

	// The button that sends the field: of its form if it has one, else the best worded one of the page.
	const submitOf = (field) => {
		const form = field.form;
		const near = form ? buttons([...form.elements, ...form.querySelectorAll("input[type=image],[role=button]")]) : all(pressable).filter((el) => !inBanner(el));
		const score = (el) => (words.submit.test(label(el)) ? 2 : 0) + (submits(el) ? 3 : 0) - (words.other.test(label(el)) ? 4 : 0);
		return near
			.filter((el) => el.matches(pressable) && visible(el) && score(el) > 0)
			.sort((a, b) => score(b) - score(a))[0];
	};

	const choices = () => {
		const open = all(pressable).filter((el) => visible(el) && el.type !== "reset" && !inBanner(el));
		const raw = (el) => [el.name, el.value, el.id].join(" ").replace(/[_-]/g, " ");
		const denies = (el) => words.deny.test(label(el)) || (!words.accept.test(label(el)) && words.deny.test(raw(el)));
		const deny = open.find(denies);
		const rest = open.filter((el) => !denies(el));
		const accept =
			rest.find((el) => words.accept.test(label(el))) ??
			rest.find((el) => words.accept.test(raw(el))) ??
			rest.find((el) => words.goOn.test(label(el)) && !words.other.test(label(el)));
		return { accept, deny };
	};

	// The boxes by which people say what the client may have; others, as "remember this", stay as they are.
	const tick = (root) => {
		const open = [...root].filter((el) => el.type === "checkbox" && !el.checked && !el.disabled);
		const meant = open.filter((el) => el.required || /scope|permission|claim|grant/i.test(el.name || el.id));
		for (const el of meant) el.click();
		return meant;
	};

	const alertText = () => {
		const seen = all("[role=alert],[aria-live=assertive],[class*=error i],[class*=alert i],[id*=error i],[class*=invalid i]");
		return clean(seen.filter((el) => visible(el) && clean(el.innerText)).map((el) => el.innerText)[0]).slice(0, 300);
	};
	const refresh = () => {
		const meta = document.querySelector("meta[http-equiv=refresh i]");
		const seconds = meta ? parseFloat(meta.content) : NaN;
		return seconds >= 0 && seconds <= 10;
	};

	let changes = 0;
	const look = () => {
		scopes = roots();
		const f = fields();
		const c = choices();
		const text = clean(document.body?.innerText);
		let kind = "other";
		if (f.password || f.username || f.otp.length) kind = "sign-in";
		else if (c.accept && (c.deny || words.asks.test(text))) kind = "consent";
		else if (dismissal()) kind = "banner";
		return {
			kind,
			url: location.href,
			ready: document.readyState,
			live: !!document.querySelector("script:not([type*=json]),[onload],[onerror],iframe,frame,embed,object"),
			busy: text === "" || (text.length < 200 && words.busy.test(text)) || !!document.querySelector("[aria-busy=true]"),
			refresh: refresh(),
			username: !!f.username,
			password: !!f.password,
			otp: f.otp.length > 0,
			accept: !!c.accept,
			agree: c.accept ? label(c.accept) : "",
			deny: !!c.deny,
			known: all(pressable).some((el) => visible(el) && words.signOut.test(label(el))),
			alert: alertText(),
			changes,
		};
	};

	// Writing the value from this world goes past whatever the page's framework has put over it.
	const fill = (el, value) => {
		el.focus();
		el.value = value;
		el.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true, data: value, inputType: "insertText" }));
		el.dispatchEvent(new Event("change", { bubbles: true }));
	};
	const fillOTP = (otp, code) => (otp.length > 1 ? otp.forEach((el, i) => fill(el, code[i] ?? "")) : fill(otp[0], code));
	const enabled = (el, then) => {
		const off = () => el.disabled || el.getAttribute("aria-disabled") === "true";
		if (!off()) return then();
		const watch = new MutationObserver(() => {
			if (off()) return;
			watch.disconnect();
			then();
		});
		watch.observe(el, { attributes: true });
	};
	const send = (field) => {
		const button = submitOf(field);
		if (button) {
			const did = `pressed ${called(button)}`; // before it is pressed, which may take it away
			enabled(button, () => button.click());
			return did;
		}
		if (field.form) {
			field.form.requestSubmit();
			return "sent the form";
		}
		for (const type of ["keydown", "keypress", "keyup"])
			field.dispatchEvent(new KeyboardEvent(type, { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, composed: true }));
		return "pressed Enter";
	};

	// A selector that a recipe could use, the nearest to one that is meant to stay.
	const selector = (el) => {
		const tag = el.tagName.toLowerCase();
		const id = el.getAttribute("id");
		const name = el.getAttribute("name");
		const type = el.getAttribute("type");
		const few = [id && `#${CSS.escape(id)}`, name && `${tag}[name=${JSON.stringify(name)}]`, name && tag === "button" && `button[name=${JSON.stringify(name)}][value=${JSON.stringify(el.value)}]`, type && `${tag}[type=${JSON.stringify(type)}]`, tag].filter(Boolean);
		const one = few.find((s) => all(s).length === 1) ?? few[0];
		return one.slice(0, 120);
	};
	const called = (el) => {
		const text = label(el).slice(0, 60);
		return text && el.matches(pressable) ? `“${text}” (${selector(el)})` : selector(el);
	};
	const problem = (text) => ({ problem: text });
	const did = (text) => ({ did: text });

	const acts = {
		look,
		// signIn fills what the page asks for and sends it; the answer is what keeps the browser from sending.
		signIn({ username, password, otp }) {
			const f = fields();
			const filled = [];
			if (f.username && username) fill(f.username, username), filled.push(`user name into ${selector(f.username)}`);
			if (f.password && password) fill(f.password, password), filled.push(`password into ${selector(f.password)}`);
			if (f.otp.length && otp) fillOTP(f.otp, otp), filled.push(`one-time password into ${selector(f.otp[0])}`);
			const field = (password && f.password) || (otp && f.otp[0]) || f.username;
			if (!field) return problem("the sign-in form went away");
			if (field.form && !field.form.noValidate) {
				const bad = [...field.form.elements].find((el) => el.willValidate && !el.checkValidity());
				if (bad) return problem(`${clean(hints(bad)) || bad.type}: ${bad.validationMessage}`);
			}
			return did(`filled the ${filled.join(", the ")}; ${send(field)}`);
		},
		choose({ accept }) {
			const c = choices();
			const button = accept ? c.accept : c.deny;
			if (!button) return problem("the button went away");
			const ticked = accept ? tick(button.form ? button.form.elements : all("input[type=checkbox]")) : [];
			const first = ticked.length ? `ticked ${ticked.map((el) => named(el) || selector(el)).join(", ").slice(0, 120)}; ` : "";
			const what = did(`${first}pressed ${called(button)}${look().kind === "consent" ? " on the consent page" : ""}`);
			enabled(button, () => button.click());
			return what;
		},
		// dismiss takes a banner about cookies away.
		dismiss() {
			const button = dismissal();
			if (!button) return problem("the button went away");
			const what = did(`pressed ${called(button)} of the banner about cookies`);
			button.click();
			return what;
		},
		// step plays one step of a recipe; its problem is "wait" as long as the element is not there.
		step({ act, selector, value }) {
			const el = all(selector).find(visible);
			if (!el || (act === "expect" && !clean(el.innerText || el.value).includes(value))) return problem("wait");
			const what = { fill: `filled ${selector}`, click: `pressed ${called(el)}`, wait: `saw ${selector}`, expect: `read “${value}” in ${selector}` }[act];
			if (act === "fill") fill(el, value);
			if (act === "click") enabled(el, () => el.click());
			return did(what ?? "");
		},
		// leave follows a link that was not on the page.
		leave({ url }) {
			const a = document.createElement("a");
			a.href = url;
			a.textContent = "away";
			document.body.append(a);
			a.click();
			return did("");
		},
		// controls lists what a recipe could name, without what was typed.
		controls() {
			scopes = roots();
			return all("input,button,select,textarea,[role=button],a[href]")
				.filter((el) => visible(el) && el.getAttribute("type") !== "hidden")
				.slice(0, 60)
				.map((el) => ({
					selector: selector(el),
					tag: el.tagName.toLowerCase(),
					id: el.getAttribute("id") ?? "",
					name: el.getAttribute("name") ?? "",
					type: el.getAttribute("type") ?? "",
					text: (el.matches(pressable + ",a") ? label(el) : named(el)).slice(0, 80),
				}));
		},
		// show blanks every secret field, then gives what the user sees.
		show() {
			scopes = roots();
			for (const el of all("input"))
				if (el.type === "password" || words.otp.test(hints(el)) || el.maxLength === 1) {
					el.value = "";
					el.removeAttribute("value");
				}
			return {
				url: location.href,
				title: String(document.title),
				text: (document.body?.innerText ?? "").slice(0, 1 << 18),
				fields: all("input, textarea").filter((el) => el.type !== "hidden").map((el) => el.value).join("\n").slice(0, 1 << 18),
				html: (document.documentElement?.outerHTML ?? "").slice(0, 1 << 20),
			};
		},
	};
	globalThis.flowproof = (name, argument) => acts[name](argument ?? {});

	const watched = new WeakSet();
	const observer = new MutationObserver(() => {
		changes++;
		soon();
	});
	const watch = () => {
		for (const root of scopes) {
			if (watched.has(root)) continue;
			watched.add(root);
			observer.observe(root, { childList: true, subtree: true, attributes: true, characterData: true });
		}
	};
	let last = "";
	let due = 0;
	const tell = () => {
		clearTimeout(due);
		due = 0;
		if (document.documentElement?.hasAttribute("data-flowproof-caught")) return;
		const now = JSON.stringify(look());
		watch();
		if (now === last) return;
		last = now;
		globalThis.flowproofTell(now);
	};
	const soon = () => {
		if (!due) due = setTimeout(tell, 20);
	};
	watch();
	for (const event of ["readystatechange", "transitionend", "animationend"]) document.addEventListener(event, tell, true);
	window.addEventListener("load", tell);
	window.addEventListener("pageshow", tell);
	setInterval(tell, 250); // style sheets and shadow trees change what is seen without a mutation
})();
