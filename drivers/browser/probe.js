// Runs in an isolated world of every page: it sees the page's DOM, and the page sees nothing of it.
// It tells the driver what kind of page this is, each time that changes, and acts when it is told to.
(() => {
	"use strict";
	if (window.top !== window) return;

	const words = {
		accept: /\b(accept|allow|approve|authori[sz]e|grant|agree|consent|permit|zulassen|erlauben|akzeptieren)\b/i,
		goOn: /\b(continue|yes|confirm|ok|okay|weiter|ja)\b/i,
		deny: /\b(deny|denied|decline|reject|refuse|cancel|disallow|disagree|do(n['’]t| not) (allow|accept|authori[sz]e|grant|agree)|no|not now|ablehnen|abbrechen|nein)\b/i,
		asks: /\b(access|permissions?|authori[sz]\w*|consent|allow|grant|scopes?|approve)\b/i,
		submit: /\b(sign[ -]?in|log[ -]?(in|on)|continue|next|submit|verify|confirm|proceed|anmelden|weiter)\b/i,
		other: /\b(forgot\w*|reset|show|hide|sign[ -]?up|register|create|cancel|back|help|resend|passkey|sso|google|github|gitlab|facebook|apple|microsoft|twitter|linkedin|guest)\b/i,
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

	const buttons = (root) => [...root].filter((el) => /^(BUTTON|INPUT)$/.test(el.tagName) || el.getAttribute("role") === "button");
	const pressable = "button,input[type=submit],input[type=button],input[type=image],[role=button]";
	const submits = (el) => (el.tagName === "BUTTON" || el.tagName === "INPUT") && /^(submit|image)$/.test(el.type);

	// The button that sends the field: of its form if it has one, else the best worded one of the page.
	const submitOf = (field) => {
		const form = field.form;
		const near = form ? buttons([...form.elements, ...form.querySelectorAll("input[type=image],[role=button]")]) : all(pressable);
		const score = (el) => (words.submit.test(label(el)) ? 2 : 0) + (submits(el) ? 3 : 0) - (words.other.test(label(el)) ? 4 : 0);
		return near
			.filter((el) => el.matches(pressable) && visible(el) && score(el) > 0)
			.sort((a, b) => score(b) - score(a))[0];
	};

	const choices = () => {
		const open = all(pressable).filter((el) => visible(el) && el.type !== "reset");
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
		return {
			kind,
			url: document.URL,
			ready: document.readyState,
			live: !!document.querySelector("script:not([type*=json]),[onload],[onerror],iframe,frame,embed,object"),
			busy: text === "" || (text.length < 200 && words.busy.test(text)) || !!document.querySelector("[aria-busy=true]"),
			refresh: refresh(),
			username: !!f.username,
			password: !!f.password,
			otp: f.otp.length > 0,
			accept: !!c.accept,
			deny: !!c.deny,
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
		if (button) return enabled(button, () => button.click());
		if (field.form) return field.form.requestSubmit();
		for (const type of ["keydown", "keypress", "keyup"])
			field.dispatchEvent(new KeyboardEvent(type, { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, composed: true }));
	};

	const acts = {
		look,
		// signIn fills what the page asks for and sends it; the answer is what keeps the browser from sending.
		signIn({ username, password, otp }) {
			const f = fields();
			if (f.username && username) fill(f.username, username);
			if (f.password && password) fill(f.password, password);
			if (f.otp.length && otp) fillOTP(f.otp, otp);
			const field = (password && f.password) || (otp && f.otp[0]) || f.username;
			if (!field) return "the sign-in form went away";
			if (field.form && !field.form.noValidate) {
				const bad = [...field.form.elements].find((el) => el.willValidate && !el.checkValidity());
				if (bad) return `${clean(hints(bad)) || bad.type}: ${bad.validationMessage}`;
			}
			send(field);
			return "";
		},
		choose({ accept }) {
			const c = choices();
			const button = accept ? c.accept : c.deny;
			if (!button) return "the button went away";
			enabled(button, () => button.click());
			return "";
		},
		// step plays one step of a recipe; it answers "wait" as long as the element is not there.
		step({ act, selector, value }) {
			const el = all(selector).find(visible);
			if (!el) return "wait";
			if (act === "fill") fill(el, value);
			if (act === "click") enabled(el, () => el.click());
			if (act === "expect" && !clean(el.innerText || el.value).includes(value)) return "wait";
			return "";
		},
		// leave follows a link that was not on the page.
		leave({ url }) {
			const a = document.createElement("a");
			a.href = url;
			a.textContent = "away";
			document.body.append(a);
			a.click();
			return "";
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
				url: document.URL,
				title: document.title,
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
