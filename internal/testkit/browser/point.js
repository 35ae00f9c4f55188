async function () {
	const place = () => {
		const r = this.getClientRects()[0] ?? this.getBoundingClientRect();
		return { x: r.left + r.width / 2, y: r.top + r.height / 2, w: r.width, h: r.height };
	};
	const seen = (at) => at.x >= 0 && at.y >= 0 && at.x < innerWidth && at.y < innerHeight;
	if (!this.isConnected) return { why: "it is gone" };
	if (this.disabled || this.getAttribute("aria-disabled") === "true") return { why: "it is disabled" };
	let before = place();
	const its = (hit) => this.contains(hit) || (hit.tagName === "LABEL" && hit.control === this);
	const over = (at) => {
		const hit = document.elementFromPoint(at.x, at.y);
		return hit && its(hit) ? "" : `it is covered by ${hit ? hit.outerHTML.slice(0, 120) : "nothing"}`;
	};
	if (!seen(before) || over(before)) {
		this.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
		before = place();
	}
	// A frame later, or soon where no frame is drawn.
	await new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });
	const at = place();
	if (at.w === 0 || at.h === 0) return { why: "it has no size" };
	if (at.x !== before.x || at.y !== before.y) return { why: "it moves" };
	if (!seen(at)) return { why: "it is outside the window" };
	const why = over(at);
	if (why) return { why };
	// The page may move before the press comes: one that meets something else does
	// nothing. Whoever pressed asks what it met, and ends this.
	const aim = this[Symbol.for("aim")] = { met: "nothing" };
	const meet = (e) => {
		if (aim.met === "nothing") aim.met = its(e.target) ? "it" : (e.target.outerHTML ?? "the document").slice(0, 120);
		if (aim.met === "it") return;
		e.stopImmediatePropagation();
		e.preventDefault();
	};
	const events = ["pointerdown", "mousedown", "pointerup", "mouseup", "click"];
	for (const name of events) addEventListener(name, meet, true);
	aim.end = () => { for (const name of events) removeEventListener(name, meet, true); };
	return { x: at.x, y: at.y };
}
