#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What a reader has done to the page, in a browser, is not undone by what the
# page does meanwhile: a process stays selected while its row moves, links keep
# a filter that was just typed, and the page as it is, and orders lead back to
# it.  Names may be long.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Browser;
use AMGR::Case::Page;
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

use constant SOON => 40;

my %at = %AMGR::Case::Page::at;
my $s = AMGR::Httpd->new(mpm => 'prefork', name => 'page-reader');
AMGR::Managed::prepare($s);
my $long = 'what-everybody-waits-for.' x 2 . 'and-longer';
$s->set_config(AMGR::Managed::section($s, 'web')
               . AMGR::Managed::section($s, $long) . <<'END');
<Location "/manager-status">
    ManagerControl On
</Location>
END
$s->expect_log(qr/AMGR0045: order over HTTP refused: /);
$s->start;
AMGR::Managed::wait_for($s, 'web', 'READY');
ok($s->wait_ticks(2), 'it ticks');
my $b = AMGR::Browser->new;
stays_selected();
keeps_filter();
keeps_place();
is_deeply([$b->console], [], 'without a word on the console');
in_sight();
orders();
$b->stop_ok;
$s->stop_ok;
done_testing();

sub visit { return AMGR::Case::Page::visit($s, $b, @_) }

sub refreshed { return AMGR::Case::Page::refreshed($b, @_) }

# ---- rows that move --------------------------------------------------------

sub selected { return $b->run('return getSelection().toString().trim()') }

# Calls a method of this process's row in each answer before the page has it.
sub change_row {
    my ($pid, $what) = @_;
    return $b->run(<<"END", $at{rows}, "$pid");
const [rows, pid] = arguments;
const real = window.real = window.real || window.fetch;
window.fetch = async function (address, options) {
  const text = await (await real(address, options)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const row = Array.from(page.querySelectorAll(rows)).find(
    (one) => one.querySelector("th").textContent === pid);
  row?.$what;
  return new Response(page.documentElement.outerHTML);
};
END
}

# A process is looked at, marked by its address, and its PID selected.
sub stays_selected {
    visit('processes=pid&refresh=1');
    my @pids = AMGR::Case::Page::pids($b);
    cmp_ok(scalar @pids, '>', 1, 'there are processes');
    my $pid = $pids[-1];
    $b->run("location.hash = '#p-$pid'");
    my $target = sub { $b->text('#processes tr:target th') // 'none' };
    is($target->(), $pid, 'a row can be led to');
    $b->run(<<'END', $at{rows});
const row = Array.from(document.querySelectorAll(arguments[0])).at(-1);
getSelection().selectAllChildren(row.querySelector("th"));
END
    is(selected(), $pid, 'a process is selected');
    change_row($pid, 'parentNode.prepend(row)');
    ok(wait_until(sub { (AMGR::Case::Page::pids($b))[0] == $pid }, SOON,
                  'another order'), 'its row moves');
    is(selected(), $pid, 'it stays selected');
    is($target->(), $pid, 'and marked');
    change_row($pid, 'remove()');
    ok(wait_until(sub { !grep { $_ == $pid } AMGR::Case::Page::pids($b) }, SOON,
                  'its end'), 'it goes');
    is(selected(), '', 'and nothing is selected in its place');
    is($target->(), 'none', 'nor marked');
    AMGR::Case::Page::same_page_ok($b, 'all this');
    return;
}

# ---- links -----------------------------------------------------------------

# Answers wait until they are let go.
sub hold_answers {
    return $b->run(<<'END');
const real = window.fetch;
const held = new Promise((resolve) => window.let_go = resolve);
window.fetch = async function (address, options) {
  await held;
  return real(address, options);
};
END
}

sub query { return $b->run('return location.search') }

sub keeps_filter {
    visit('refresh=1');
    refreshed('as it is');
    hold_answers();
    $b->type($at{filter}, 'worker');
    ok(wait_until(sub { query() =~ /filter=worker/ }, SOON, 'a filter'),
       'a filter is typed, and no answer has come');
    $b->click($at{by_pid});
    is(query(), '?refresh=1&filter=worker&processes=-pid',
       'a link that is older keeps it');
    $b->click('.spans a[href*="history=day"]');
    is(query(), '?refresh=1&filter=worker&processes=-pid&history=day',
       'so does the next');
    $b->run('window.let_go()');
    ok(wait_until(sub { ($b->text('#found') // '') =~ /match/ }, SOON,
                  'an answer'), 'the answer is to all of it');
    is($b->run('return document.activeElement.closest(".spans") !== null'), 1,
       'the link has the focus');
    hold_answers();
    $b->type($at{filter}, 'x');
    ok(wait_until(sub { query() =~ /filter=workerx/ }, SOON, 'more'),
       'more is typed');
    $b->click('#found a');
    is(query(), '?refresh=1&processes=-pid&history=day',
       'what a link is there to remove goes all the same');
    $b->run('window.let_go()');
    AMGR::Case::Page::same_page_ok($b, 'all this');
    return;
}

# At the address without a question mark, where "?#history" leads elsewhere.
sub keeps_place {
    $b->go($s->url('/manager-status'));
    $b->run('window.mark = 1; window.scrollTo(0, 0)');
    my $before = $b->run('return history.length');
    $b->click('.spans a[aria-current]');
    is($b->run('return location.hash'), '#history', 'a link leads to its part');
    AMGR::Case::Page::same_page_ok($b, 'the address as it was');
    is($b->run('return history.length'), $before + 1, 'one step in history');
    is($b->run('return document.querySelector(":target").id'), 'history',
       'the part is where it leads');
    return;
}

# ---- widths ----------------------------------------------------------------

# However long a name is, the buttons are there without scrolling.
sub in_sight {
    AMGR::Managed::wait_for($s, $long, 'READY');
    for my $width (400, 1280) {
        $b->set_size($width, 900, $width == 400);
        visit('refresh=3600');
        is_deeply($b->run(<<'END'), [], "$width: all buttons are in sight");
const edge = document.querySelector("#managed .scroll").getBoundingClientRect();
return Array.from(document.querySelectorAll("#managed button"))
  .filter((one) => one.getBoundingClientRect().right > edge.right)
  .map((one) => one.id);
END
    }
    is($b->run('const all = document.querySelector("#managed .scroll");'
               . 'return all.scrollWidth - all.clientWidth'), 0,
       'and so are all figures where there is room');
    $b->cdp('Emulation.clearDeviceMetricsOverride');
    return;
}

# ---- orders ----------------------------------------------------------------

sub orders {
    my $pid = AMGR::Managed::wait_for($s, 'web', 'READY')->{pid};
    visit('refresh=1&processes=-pid&filter=a%26b%3Cc&unknown=1');
    $b->click('#managed-web button[formaction*="/web/restart"]');
    ok(wait_until(sub { $b->address =~ /#managed-web$/ }, SOON, 'the page'),
       'an order leads back');
    is($b->address,
       $s->url('/manager-status?refresh=1&processes=-pid&filter=a%26b%3Cc'
               . '#managed-web'), 'to the page as it was asked for');
    ok(AMGR::Managed::wait_for($s, 'web', 'READY', $pid), 'it was obeyed');
    # As if the page were older than the token, which its script would mend.
    $b->click($at{pause});
    $b->run('document.querySelector("#managed-web input").value = "0";');
    $b->click('#managed-web button[formaction*="/web/restart"]');
    ok(wait_until(sub { ($b->text('h1') // '') eq 'Not done' }, SOON,
                  'a refusal'), 'one that is refused says so');
    $b->click('a');
    ok(wait_until(sub {
        $b->address =~ /\?refresh=1&processes=-pid&filter=a%26b%3Cc$/;
    }, SOON, 'the page'), 'and leads back to the same');
    return;
}
