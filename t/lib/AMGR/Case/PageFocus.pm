# SPDX-License-Identifier: Apache-2.0
#
# Where the reader is on the page, while what it shows comes, moves and goes.
package AMGR::Case::PageFocus;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use Apache::Test qw(-withtestmore);

use constant {
    SOON    => 40,
    SERVED  => 60,  # seconds, a request and what its worker needs after it
    LARGE   => 200, # megabytes: over the limit
    HEADERS => "\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
};

sub run {
    my ($s, $b) = @_;
    AMGR::Case::Page::visit($s, $b);
    record($s, $b);
    older($b);
    cell($s, $b);
    all_again($s, $b);
    AMGR::Case::Page::same_page_ok($b, 'all this');
    is_deeply([$b->console], [], 'and without a word on the console');
    return;
}

sub focused_id {
    my ($b) = @_;
    return $b->run('return document.activeElement.id');
}

# One that was read stays open when another comes before it.
sub record {
    my ($s, $b) = @_;
    my $before = $b->run(<<'END') or return ok(0, 'there is a record');
window.reading = document.querySelector("#kills details[id^=kill-]");
window.reading.open = true;
window.reading.querySelector("summary").focus();
return document.querySelectorAll("#kills details[id^=kill-]").length;
END
    my $answer = $s->get('/app/leak?mb=' . LARGE);
    is($answer->code, 200, 'another leaks');
    ok(wait_until(sub {
        $b->run('return document.querySelectorAll('
                . '"#kills details[id^=kill-]").length') > $before;
    }, SERVED, 'another record'), 'another record appears');
    is($b->run('return document.querySelectorAll("#kills details[id^=kill-]")[0]'
               . ' !== window.reading && window.reading.isConnected'), 1,
       'before the one that is read');
    is($b->run('return window.reading.open'), 1, 'which stays open');
    is($b->run('return document.activeElement === '
               . 'window.reading.querySelector("summary")'), 1, 'and focused');
    return;
}

# Its place among the older ones: as if there were enough of them.
sub older {
    my ($b) = @_;
    $b->run(<<'END');
const real = window.fetch;
window.is_older = false;
window.put_back = () => window.fetch = real;
window.fetch = async function (address, options) {
  const text = await (await real(address, options)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const older = page.createElement("details");
  const row = page.getElementById(window.reading.id).closest("tr");
  older.id = "kills-older";
  older.innerHTML = "<summary>older</summary><table><tbody></tbody></table>";
  if (window.is_older) {
    older.querySelector("tbody").append(row);
  }
  page.getElementById("kills").append(older);
  return new Response(page.documentElement.outerHTML);
};
END
    ok(wait_until(sub { $b->find('#kills-older') }, SOON, 'older ones'),
       'there are older ones') or return;
    $b->run('document.getElementById("kills-older").open = true;'
            . 'window.is_older = true');
    ok(wait_until(sub { $b->find('#kills-older [id^=kill-]') }, SOON,
                  'a place among them'), 'it becomes one of them');
    is($b->run('return document.getElementById("kills-older")'
               . '.contains(window.reading) && window.reading.open'), 1,
       'as it was put');
    is($b->run('return document.activeElement === '
               . 'window.reading.querySelector("summary")'), 1, 'and focused');
    $b->run('window.put_back()');
    return;
}

# The worker that was looked at, and what there is to look at after it.
sub cell {
    my ($s, $b) = @_;
    my $request = AMGR::Request->new($s->port,
        'GET /app/sleep?s=10&looked-at HTTP/1.1' . HEADERS);
    my $id;
    ok(wait_until(sub {
        $id = $b->run(<<'END');
window.cell = Array.from(document.querySelectorAll(".grid [id^=g-] > span"))
  .filter((one) => one.textContent.includes("looked-at"))
  .map((one) => one.parentNode)[0];
if (window.cell) {
  window.cell.focus({ preventScroll: true });
  /* Where the browser keeps nothing in view by itself. */
  window.scrollTo(0, 0);
}
return window.cell && window.cell.id;
END
    }, SOON, 'a cell'), 'a busy worker has a cell') or return;
    like($id, qr/^g-\d+-\d+$/, 'of its own');
    AMGR::Case::Page::refreshed($b, 'looked at');
    is(focused_id($b), $id, 'it keeps the focus');
    ok($request->wait(SERVED), 'its request ends');
    ok(wait_until(sub { !$b->find("#$id") }, SOON, 'no cell'),
       'and its cell goes');
    is(focused_id($b), 'title-scoreboard', 'the focus is in the same part');
    AMGR::Case::Page::refreshed($b, 'after it');
    is(focused_id($b), 'title-scoreboard', 'and stays there');
    is($b->run('return scrollY'), 0, 'nothing has scrolled');
    return;
}

# A link that removes itself.
sub all_again {
    my ($s, $b) = @_;
    my ($pid) = $s->workers;
    $b->type($AMGR::Case::Page::at{filter}, "$pid");
    ok(wait_until(sub { $b->find('#found a') }, SOON, 'the way back'),
       'a filter has a way back');
    $b->run('document.querySelector("#found a").focus()');
    $b->click('#found a');
    ok(wait_until(sub { !$b->find('#found') }, SOON, 'all rows'),
       'which goes when it was gone');
    is(focused_id($b), 'filter', 'the filter has the focus');
    return;
}

1;
