package manifest

import "strings"

// lines finds lines and columns. It knows them for the beginnings of blocks and
// counts from there: most files are read without anybody asking for a position,
// and where each line of each file begins would be a lot to know.
type lines struct {
	text   string
	blocks []block
}

// block is what is known of the first byte of a block of the text: the number of
// lines before its own, and where its line begins.
type block struct{ line, start int32 }

const blockSize = 1024

func indexLines(text string) lines {
	l := lines{text: text, blocks: make([]block, 0, len(text)/blockSize+1)}
	b := block{}
	for at := 0; ; at += blockSize {
		l.blocks = append(l.blocks, b)
		if at+blockSize >= len(text) {
			return l
		}
		b = b.after(text[at:at+blockSize], at)
	}
}

// after moves the block behind text, which stands at its beginning.
func (b block) after(text string, at int) block {
	if n := strings.Count(text, "\n"); n > 0 {
		b.line += int32(n)
		b.start = int32(at + strings.LastIndexByte(text, '\n') + 1)
	}
	return b
}

// at returns the line and column of a byte, from 1; the end of the text is the
// place behind the last byte.
func (l lines) at(offset int) (line, col int) {
	if len(l.blocks) == 0 {
		return 1, 1
	}
	i := min(offset/blockSize, len(l.blocks)-1)
	from := i * blockSize
	b := l.blocks[i].after(l.text[from:offset], from)
	return int(b.line) + 1, offset - int(b.start) + 1
}
