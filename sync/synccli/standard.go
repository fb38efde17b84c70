package synccli

// standard returns the commands of a host that has backends.
func standard() []Command {
	const all = TakesPaths | TakesScope | TakesJSON
	const acts = all | TakesYes | TakesWait
	return []Command{
		{Name: "plan", Takes: all | TakesPlan | TakesPlanFile | takesPage, Run: plan,
			Short: "show what sync would do",
			Long:  "Shows what sync would do, field by field, and changes nothing. The exit code is 0 if\neverything is as declared, 2 if there are changes, 1 after an error. With --plan-file the\nplan is also written to a file, for sync --plan-file, with --html as a page to look at; sensitive\nvalues are in neither."},
		{Name: "sync", Takes: acts | TakesPlan | TakesPlanFile, Run: syncs,
			Short: "make it so, and record it",
			Long:  "Shows the plan, asks at a terminal, carries the plan out and records the result. Where\nnobody can be asked it goes ahead, unless something would be deleted or replaced: that\nneeds --yes. With --plan-file it carries out the plan that is in the file, or nothing, if\nwhat the plan was made from has changed since so that another one is due."},
		{Name: "state", Takes: all, Run: showState,
			Short: "show what is recorded"},
		{Name: "history", Takes: all | takesLimit, Run: history,
			Short: "list what was recorded, newest first"},
		{Name: "diff", Takes: all, Run: compare, Optional: "[A [B]]", Split: leadingNumbers,
			Short: "show what changed between two States",
			Long:  "Shows what changed from the State with serial A to that with serial B. Without B that is\nthe present one, without A the one before it; 0 is the State before the first. A directory\nwhose name is a number is written ./12. The exit code is 0 if nothing changed, 2 if\nsomething did, 1 after an error."},
		{Name: "rollback", Takes: acts | TakesPlan, Run: rollback, Args: []string{"SERIAL"},
			Short: "go back to an earlier State",
			Long:  "Plans towards what was declared in an earlier State, and goes on as sync does. What came\nlater is an orphan then, or is deleted with --prune. Sensitive values are taken from the\ndeclaration, where it has them still. The declaration stays as it is: unless it is brought\nback too, the next sync undoes the rollback."},
		{Name: "drift", Takes: all, Run: drift,
			Short: "show what was changed behind our back",
			Long:  "Compares what is recorded with the live things. The exit code is 0 if nothing was changed,\n1 if something was, and also where nothing can be observed and after an error."},
		{Name: "orphans", Takes: all, Run: orphans,
			Short: "list what is recorded and no longer declared"},
		{Name: "prune", Takes: acts | TakesPrune, Run: prune,
			Short: "delete the orphans",
			Long:  "Deletes what sync has reported as no longer declared, and nothing else. If one of the\norphans is declared again, nothing is deleted: sync first. Where nobody can be asked it\nneeds --yes."},
		{Name: "forget", Takes: acts, Run: forget, Args: []string{"KIND/NAME"},
			Short: "drop a record and leave the thing alone",
			Long:  "Drops a record from the books; what it is a record of stays as it is. What is still\ndeclared can't be forgotten, since the next sync would create it a second time; unless it\nis the record of a create that was interrupted, and you know that the thing isn't there."},
		{Name: "adopt", Takes: acts, Run: adopt, Args: []string{"KIND/NAME"}, Optional: "[ID]", Split: optionalID,
			Short: "take over a thing that exists",
			Long:  "Records a thing that exists as what is declared under that name, and makes it what is\ndeclared. ID is the thing's; without it, or with - in its place, the thing is looked up by\nwhat is declared of it. What it depends on is synced first; nothing else is."},
		{Name: "unlock", Takes: all | TakesYes, Run: unlock,
			Short: "take the lease from who holds it",
			Long:  "Shows who holds the lease on the scope and since when, asks, and ends it. Who held it can\nrecord nothing from then on, but what it has begun in the outside world may go on: the\nnext sync finds that out. A dead holder's lease ends by itself, in seconds."},
		{Name: "validate", Takes: all, Run: validate,
			Short: "check the declaration and nothing else",
			Long:  "Reads the declaration and shows every mistake in it. No backend is opened."},
	}
}
