// Package planhtml shows a plan as a page that a person would rather look at than
// read the text of it: one HTML file that needs nothing beside itself, neither
// scripts nor a network, for a browser, a review or an e-mail.
//
//	plan, err := engine.Plan(ctx, desired, nil)
//	err = planhtml.Write(file, plan, &planhtml.Options{Warnings: desired.Warnings})
//
// At the top stands how much changes, and what would be lost; below it, by kind, each
// resource with its fields, old → new, and texts of several lines as the lines that
// differ; then what is no longer declared and stays. It is light or dark as the
// reader's system is.
//
// A page holds no more than a plan does: no sensitive value. What could mislead its
// reader (marks that change the direction of text) comes out escaped.
//
// The style is Pico CSS, whose licence is in assets.
package planhtml
