# SPDX-License-Identifier: Apache-2.0
#
# The page in a browser, as a person uses it while a worker leaks: it follows
# by itself, sorts, filters, pauses, and says when the server is gone.
package AMGR::Case::Page;

use strict;
use warnings;

use AMGR::Browser;
use AMGR::Case::PageFocus;
use AMGR::Httpd qw(wait_until build_dir);
use AMGR::Request;
use Apache::Test qw(-withtestmore);
use File::Spec;

# Where things are on the page; all tests of a browser ask here.
our %at = (
    live     => '#live',
    status   => '#live [role=status]',
    pause    => '#live-pause',
    as_of    => 'header time',
    verdict  => '#verdict',
    kills    => '#kills',
    rows     => '#processes tbody tr',
    by_pid   => '#sort-processes-pid',
    sorted   => '#processes th[aria-sort]',
    filter   => 'main form input[name=filter]',
    workers  => '#workers',
    scroll   => '#workers .scroll',
    details  => 'main details[id]',
);

# Sections directly below main, in whatever order.
our @sections = qw(verdict overview history processes groups scoreboard
                   workers kills limits counters);

use constant {
    PERIOD  => 'refresh=1',
    SOON    => 40,
    PATIENT => 70,   # more than the script waits between two tries
    SMALL   => 60,   # megabytes: below the limit
    LARGE   => 200,  # above it
    HEADERS => "\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
};

# Request lines that would be elements if they were not escaped.
my @hostile = (
    'GET %s<img/src=x/onerror=hacked=1> HTTP/1.1',
    'GET %s"\'><script>hacked=1</script> HTTP/1.1',
    "GET %s\xe2\x82\xac\xff\x80<svg/onload=hacked=1> HTTP/1.1",
    'GET %s"><a/href=javascript:hacked=1>x</a> HTTP/1.1',
    '<img src=x onerror=hacked=1> %s HTTP/1.1',
);

sub run {
    my ($mpm) = @_;
    my ($s, $b) = open_page($mpm);
    follows($s, $b);
    sorts($s, $b);
    filters($s, $b);
    pauses($s, $b);
    is_deeply([$b->console], [], 'the console stays empty');
    if ($mpm eq 'event') {
        stays($s, $b);
        AMGR::Case::PageFocus::run($s, $b);
        rests($s, $b);
        upgrades($s, $b);
        hostile($s, $b);
        policy($s, $b);
        scriptless($s, $b);
        looks($s, $b);
    }
    loses_server($s, $b);
    $b->stop_ok;
    $s->stop_ok;
    done_testing();
    return;
}

# A server whose workers leak when told to, and whose retirements can be
# watched: ten ticks from over the limit to the end.  Active or idle is the same
# here: on threads the page's own connection keeps a process active.
sub open_page {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '500ms',
                             modules => ['wsgi']);
    my $script = $s->wsgi_script;
    $s->{config} = <<"END";
ManagerMaxMemoryIdle 150M
ManagerMaxMemoryActive 150M
ManagerMinAge 1s
ManagerStrikes 10
ManagerShowRequests Full
WSGIScriptAlias /app $script
END
    # What hostile request lines are answered with.
    $s->expect_log(qr/\[core:error\].*AH00(?:135|126|036|565|566)/,
                   qr/AH10244|AH02430|AH00127|AH01630/);
    $s->start;
    ok(wait_until(sub { $s->json->{manager}{ticks} > 2 }, SOON, 'ticks'),
       'it ticks');
    my $b = AMGR::Browser->new;
    visit($s, $b);
    is($b->text($at{status}), 'live, every 1 s', 'the page says it is live');
    return ($s, $b);
}

# The page, and a mark that a page loaded anew would not have.
sub visit {
    my ($s, $b, $query) = @_;
    $b->go($s->url('/manager-status?' . ($query // PERIOD)));
    $b->run('window.mark = 1');
    return;
}

sub same_page_ok {
    my ($b, $what) = @_;
    return ok($b->run('return window.mark === 1'),
              "$what: without loading the page anew");
}

# At least one more refresh, whole.
sub refreshed {
    my ($b, $what) = @_;
    my $before = $b->text($at{as_of});
    return ok(wait_until(sub { $b->text($at{as_of}) ne $before }, SOON,
                         'a refresh'), "$what: a refresh");
}

sub becomes {
    my ($b, $what, $name, $pattern, $timeout) = @_;
    my $text = '';
    my $ok = ok(wait_until(sub {
        ($text = $b->text($at{$name}) // '') =~ $pattern;
    }, $timeout // SOON, "$at{$name} to match $pattern"), $what);
    if (!$ok) {
        diag($text);
        $b->shoot("failed-$name");
    }
    return $ok;
}

sub leak {
    my ($s, $mb) = @_;
    my $answer = $s->get("/app/leak?mb=$mb");
    is($answer->code, 200, "$mb MB leaked");
    my ($pid) = $answer->content =~ /^pid=(\d+)/ or return 0;
    return $pid;
}

# The first figure in MB of the row of this process.
sub megabytes {
    my ($b, $pid) = @_;
    return $b->run(<<'END', $at{rows}, "$pid");
const rows = Array.from(document.querySelectorAll(arguments[0]));
const row = rows.find((one) => Array.from(one.cells).some(
  (cell) => cell.textContent.trim() === arguments[1]));
const found = row && /([\d.]+) MB/.exec(row.textContent);
return found ? Number(found[1]) : 0;
END
}

sub pids {
    my ($b) = @_;
    return @{ $b->run(<<'END', $at{rows}) };
return Array.from(document.querySelectorAll(arguments[0]))
  .filter((row) => row.querySelector("th"))
  .map((row) => Number(row.querySelector("th").textContent));
END
}

# ---- the parts -------------------------------------------------------------

sub follows {
    my ($s, $b) = @_;
    my $verdict = $b->text($at{verdict});
    my $title = $b->title;
    my $pid = leak($s, SMALL);
    ok(wait_until(sub { megabytes($b, $pid) > SMALL }, SOON, 'its memory'),
       'the memory of a process grows on the page');
    # A threaded server may give the next request to another process.
    $pid = leak($s, LARGE);
    ok(wait_until(sub { megabytes($b, $pid) > LARGE }, SOON, 'more memory'),
       'and goes over its limit');
    ok(wait_until(sub { $b->text($at{verdict}) ne $verdict }, SOON,
                  'another verdict'), 'the verdict changes');
    ok(wait_until(sub { $b->title ne $title }, SOON, 'another title'),
       'so does the title');
    becomes($b, 'the kill appears', 'kills', qr/\b$pid\b/);
    ok(wait_until(sub { !grep { $_ == $pid } pids($b) }, SOON, 'its end'),
       'its row goes');
    same_page_ok($b, 'all this');
    return;
}

sub is_sorted {
    my ($descending, @numbers) = @_;
    my @sorted = sort { $a <=> $b } @numbers;
    @sorted = reverse @sorted if $descending;
    return "@sorted" eq "@numbers";
}

sub sorts {
    my ($s, $b) = @_;
    my %seen;
    for my $time (1, 2) {
        my $before = $b->attribute($at{sorted}, 'aria-sort') // 'none';
        $b->click($at{by_pid});
        ok(wait_until(sub {
            ($b->attribute($at{sorted}, 'aria-sort') // 'none') ne $before;
        }, SOON, 'aria-sort'), "click $time: the heading says so");
        my $order = $b->attribute($at{sorted}, 'aria-sort') // 'none';
        $seen{$order}++;
        ok(is_sorted($order eq 'descending', pids($b)),
           "click $time: $order") or diag(join ' ', pids($b));
        like($b->address, $order eq 'descending' ? qr/\bprocesses=-pid\b/
                                                 : qr/\bprocesses=pid\b/,
             "click $time: the address says so");
    }
    is_deeply([sort keys %seen], [qw(ascending descending)], 'both ways');
    is($b->run('return document.activeElement.id'), $at{by_pid} =~ s/^#//r,
       'the heading keeps the focus');
    my $order = $b->attribute($at{sorted}, 'aria-sort');
    refreshed($b, 'sorted');
    is($b->attribute($at{sorted}, 'aria-sort'), $order, 'it stays sorted');
    $b->back;
    ok(wait_until(sub {
        ($b->attribute($at{sorted}, 'aria-sort') // 'none') ne $order;
    }, SOON, 'the order before'), 'back is the order before');
    same_page_ok($b, 'sorting');
    return;
}

sub filters {
    my ($s, $b) = @_;
    my @before = pids($b);
    my ($pid) = reverse $s->workers;
    $b->type($at{filter}, "$pid");
    ok(wait_until(sub { join(' ', pids($b)) eq $pid }, SOON, 'one row'),
       'the filter leaves one process') or diag(join ' ', pids($b));
    like($b->address, qr/[?&]filter=$pid\b/, 'the address says so');
    like($b->address, qr/[?&]@{[PERIOD]}\b/, 'and keeps the rest');
    $b->run('document.activeElement.setSelectionRange(1, 2)');
    refreshed($b, 'filtered');
    is($b->run('return document.activeElement.value'), "$pid",
       'the field keeps focus and text');
    is_deeply($b->run('const field = document.activeElement;'
                      . 'return [field.selectionStart, field.selectionEnd]'),
              [1, 2], 'and what is selected in it');
    is(join(' ', pids($b)), $pid, 'a refresh filters as well');
    is(typed_meanwhile($b), 'kept', 'what is typed meanwhile is not lost');
    $b->press($AMGR::Browser::KEY{escape});
    ok(wait_until(sub { pids($b) >= @before }, SOON, 'all rows'),
       'Escape brings all back');
    unlike($b->address, qr/filter/, 'the address too');
    same_page_ok($b, 'filtering');
    return;
}

# Types, and has a refresh answered before the address follows.  The answer is
# there beforehand, so that only on a machine that stands still the address
# follows first; then once more.
sub typed_meanwhile {
    my ($b) = @_;
    my $found;
    for my $try (1 .. 5) {
        $found = $b->run_async(<<'END', $at{filter}, "newer$try");
const [filter, typed, done] = arguments;
const field = document.querySelector(filter);
const heading = document.querySelector("main h2");
const real = window.fetch;
const watch = new MutationObserver(() => heading.textContent.endsWith(" now") &&
  finish(field.value === typed ? "kept" : "lost: " + field.value));
let limit;
function finish(result) {
  clearTimeout(limit);
  watch.disconnect();
  window.fetch = real;
  done(result);
}
watch.observe(heading, { characterData: true, childList: true, subtree: true });
real(location.href, { cache: "no-store" }).then(async (answer) => {
  const old = (await answer.text()).replaceAll("</h2>", " now</h2>");
  window.fetch = async function () {
    window.fetch = real;
    return new Response(old);
  };
  limit = setTimeout(finish, 2000, "not taken into account");
  field.value = typed;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  /* Asks at once, for the address as it still is. */
  document.dispatchEvent(new Event("visibilitychange"));
});
END
        last if $found ne 'not taken into account';
    }
    return $found;
}

sub pauses {
    my ($s, $b) = @_;
    $b->click($at{pause});
    is($b->attribute($at{pause}, 'aria-pressed'), 'true', 'it is pressed');
    is($b->text($at{status}), 'paused', 'the page says so');
    my $as_of = $b->text($at{as_of});
    ok($s->wait_ticks(5), 'the server goes on for more than a period');
    is($b->text($at{as_of}), $as_of, 'the page does not');
    # The button has the focus: the keyboard does it as well.
    $b->press(' ');
    is($b->attribute($at{pause}, 'aria-pressed'), 'false', 'it is released');
    becomes($b, 'it is live again', 'status', qr/^live, every 1 s$/);
    ok(wait_until(sub { $b->text($at{as_of}) ne $as_of }, SOON, 'a refresh'),
       'and up to date');
    same_page_ok($b, 'pausing');
    return;
}

# Without an answer, with the wrong one, and with the right one again.
sub loses_server {
    my ($s, $b) = @_;
    visit($s, $b);
    is_deeply([$b->console], [], 'nothing on the console before');
    my $config = $s->{config};
    $s->set_config("$config<Location \"/manager-status\">\n"
                   . "Require all denied\n</Location>\n");
    $s->graceful;
    becomes($b, 'a refusal is said', 'status',
            qr/^the server has answered 403, trying again$/);
    like($b->attribute($at{live}, 'class'), qr/\bbad\b/, 'and marked');
    is_deeply([$s->stop], [], 'the server ends');
    becomes($b, 'silence is said', 'status', qr/^no answer, trying again$/,
            PATIENT);
    says_once($b);
    ok($b->find($at{verdict}), 'what was known stays to be read');
    $s->set_config($config);
    is($s->try_start, undef, 'the server starts again');
    becomes($b, 'it is live again', 'status', qr/^live, every 1 s$/, PATIENT);
    unlike($b->attribute($at{live}, 'class') // '', qr/\bbad\b/,
           'and not marked');
    unlike($b->text($at{live}), qr/last answer/, 'nor is a silence shown');
    same_page_ok($b, 'all this');
    is_deeply([grep { !/Failed to load resource/ } $b->console], [],
              'the browser alone noted it on the console');
    return;
}

# The seconds go on for the eye; what is read aloud does not change with them.
sub says_once {
    my ($b) = @_;
    $b->run(<<'END', $at{status});
window.said = 0;
new MutationObserver(() => window.said++).observe(
  document.querySelector(arguments[0]),
  { characterData: true, childList: true, subtree: true });
END
    my $shown = qr/last answer (\d+) s ago/;
    my ($before) = $b->text($at{live}) =~ $shown;
    ok(defined $before, 'the page says for how long') or return;
    my $after;
    ok(wait_until(sub {
        ($after) = $b->text($at{live}) =~ $shown;
        defined $after && $after > $before;
    }, PATIENT, 'more seconds'), 'and goes on counting');
    is($b->run('return window.said'), 0, 'without reading it aloud again');
    return;
}

# What a reader has done to the page stays over a refresh.
sub stays {
    my ($s, $b) = @_;
    visit($s, $b);
    my $id = $b->attribute($at{details}, 'id');
    ok(defined $id, 'there are details') or return;
    $b->set_size(375, 800, 1);
    $b->run(<<'END', $id, $at{scroll});
const details = document.getElementById(arguments[0]);
details.open = !details.open;
window.was_open = details.open;
document.querySelector(arguments[1]).scrollLeft = 40;
getSelection().selectAllChildren(document.querySelector("h1"));
END
    refreshed($b, 'read');
    ok($b->run('return window.was_open === '
               . 'document.getElementById(arguments[0]).open', $id),
       'details stay as they were put');
    is($b->run('return document.querySelector(arguments[0]).scrollLeft',
               $at{scroll}), 40, 'a table stays where it was scrolled to');
    is($b->run('return getSelection().toString()'), $b->text('h1'),
       'selected text stays selected');
    $b->cdp('Emulation.clearDeviceMetricsOverride');
    return;
}

# Hidden it asks for nothing; shown again, at once; never twice at a time.
sub rests {
    my ($s, $b) = @_;
    visit($s, $b);
    $b->run(<<'END');
const real = window.fetch;
window.asked = 0;
window.now = 0;
window.most = 0;
window.fetch = async function (address, options) {
  window.asked++;
  window.now++;
  window.most = Math.max(window.most, window.now);
  /* An aborted one is over at once. */
  options.signal.addEventListener("abort", () => window.now--);
  const answer = await real(address, options);
  if (!options.signal.aborted) {
    window.now--;
  }
  return answer;
};
window.show = function (hidden) {
  Object.defineProperty(document, "hidden",
                        { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
window.show(true);
END
    ok($s->wait_ticks(5), 'longer than a period');
    is($b->run('return window.asked'), 0, 'hidden it asks for nothing');
    is($b->run('window.show(false); return window.asked'), 1,
       'shown it asks at once');
    $b->run('document.querySelector(arguments[0]).click();' x 5, $at{by_pid});
    ok(wait_until(sub { $b->run('return window.now') == 0 }, SOON, 'rest'),
       'it comes to rest');
    is($b->run('return window.most'), 1, 'one request at a time');
    return;
}

# The script of another version: loaded once, not again and again.
sub upgrades {
    my ($s, $b) = @_;
    my $other = <<'END';
const real = window.fetch;
window.seen = 0;
window.fetch = async function (address, options) {
  const answer = await real(address, options);
  const text = await answer.text();
  window.seen++;
  return new Response(text.replace(/page\.js\?v=\d+/, "page.js?v=1"));
};
END
    visit($s, $b);
    $b->run($other);
    ok(wait_until(sub { !$b->run('return window.mark === 1') }, SOON,
                  'a reload'), 'a newer script is loaded');
    # A place on the page is a step in history with nothing else to remember.
    $b->run("window.mark = 1; location.hash = '#kills'; $other");
    ok(wait_until(sub { $b->run('return window.seen > 1') }, SOON,
                  'two refreshes'), 'the page goes on');
    same_page_ok($b, 'the same version again');
    return;
}

sub hostile {
    my ($s, $b) = @_;
    visit($s, $b);
    # Over at once; then while they run, fewer than there are threads.
    $s->raw(sprintf($_, '/there') . HEADERS) for @hostile;
    my @shown = (qr/<img\/src=x/, qr/'><script>hacked=1</, qr/<svg/);
    my @held;
    for my $i (0 .. $#shown) {
        push @held, AMGR::Request->new($s->port,
            sprintf($hostile[$i], '/app/sleep?s=12&') . HEADERS);
        becomes($b, "hostile request $i is shown", 'workers', $shown[$i]);
    }
    is($b->run('return document.querySelectorAll("main img, main script, '
               . 'main iframe, main [onload], main [onerror], '
               . 'a[href^=javascript]").length'), 0, 'no element is made of it');
    ok(!$b->run('return "hacked" in window'), 'and nothing of it ran');
    is_deeply([$b->console], [], 'nor did the policy have to stop it');
    $_->close_now for @held;
    return;
}

# Were a request line ever to become elements, nothing of them would run, load,
# lead or be sent elsewhere: the policy stops each, whatever the escaping does.
sub policy {
    my ($s, $b) = @_;
    visit($s, $b, 'refresh=3600');
    my $elsewhere = 'http://127.0.0.2:' . $s->port;
    my $stopped = $b->run_async(<<'END', $elsewhere);
const [elsewhere, done] = arguments;
const stopped = [];
document.addEventListener("securitypolicyviolation",
  (event) => stopped.push(event.effectiveDirective));
const box = document.createElement("div");
document.body.append(box);
/* As a parser would make them of a line that was not escaped. */
box.append(document.createRange().createContextualFragment(
  "<script>window.hacked = 1</script>" +
  "<script src=\"" + elsewhere + "/x.js\"></script>" +
  "<script src=\"data:text/javascript,window.hacked=2\"></script>" +
  "<img src=\"" + elsewhere + "/x.png\" onerror=\"window.hacked = 3\">" +
  "<link rel=stylesheet href=\"" + elsewhere + "/x.css\">" +
  "<style>body { display: none }</style>" +
  "<p style=\"position: fixed\" id=styled></p>" +
  "<iframe src=\"/manager-status\"></iframe>" +
  "<object data=\"/manager-status\"></object>" +
  "<base href=\"" + elsewhere + "/\">" +
  "<form id=away action=\"" + elsewhere + "/\"><input></form>"));
box.append(document.createElement("a"));
box.lastChild.href = "javascript:window.hacked = 4";
box.lastChild.click();
document.getElementById("away").submit();
fetch(elsewhere + "/x").catch(() => 0);
setTimeout(() => done({ stopped, hacked: window.hacked || 0,
  here: location.href, base: document.baseURI,
  style: getComputedStyle(document.body).display + " " +
    getComputedStyle(document.getElementById("styled")).position }), 1000);
END
    is($stopped->{hacked}, 0, 'the policy lets nothing run');
    my %stopped = map { $_ => 1 } @{ $stopped->{stopped} };
    is(join(' ', grep { !$stopped{$_} } qw(
        script-src-elem script-src-attr style-src-elem style-src-attr img-src
        frame-src object-src base-uri form-action connect-src)), '',
       'what was tried was stopped') or diag(join ' ', sort keys %stopped);
    is($stopped->{here}, $stopped->{base}, 'the page is where it was');
    is($stopped->{style}, 'block static', 'and looks as it did');
    $b->console; # what it had to stop stands there
    visit($s, $b);
    return;
}

# Whole without its script, and refreshed by the browser.
sub scriptless {
    my ($s, $b) = @_;
    $b->set_script(0);
    visit($s, $b, 'processes=-pid');
    my @missing = grep { !$b->find("main > section#$_") } @sections;
    is("@missing", '', 'without its script every part is there');
    is($b->text($at{live}), '', 'nothing claims to be live');
    is($b->attribute($at{sorted}, 'aria-sort'), 'descending', 'it is sorted');
    $b->click($at{by_pid});
    ok(wait_until(sub {
        ($b->attribute($at{sorted}, 'aria-sort') // '') eq 'ascending';
    }, SOON, 'another order'), 'a link sorts');
    visit($s, $b);
    ok(wait_until(sub { !$b->run('return window.mark === 1') }, SOON,
                  'a reload'), 'it is loaded anew by itself');
    $b->set_script(1);
    return;
}

# ---- the looks -------------------------------------------------------------

sub looks {
    my ($s, $b) = @_;
    my @sizes = ([light => 1280, 900, 0], [dark => 1280, 900, 0],
                 [phone => 375, 800, 1], [small => 320, 640, 1]);
    for my $look (@sizes) {
        my ($name, $width, $height, $is_phone) = @$look;
        $b->set_size($width, $height, $is_phone);
        $b->set_scheme($name eq 'dark' ? 'dark' : 'light');
        visit($s, $b, 'refresh=3600');
        is($b->run('return document.scrollingElement.scrollWidth '
                   . '- window.innerWidth <= 0'), 1,
           "$name: nothing scrolls sideways")
            or diag(join "\n", @{ $b->run(<<'END') });
const wide = Array.from(document.querySelectorAll("body *")).filter((one) =>
  one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll *"));
return wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
END
        is($b->run('return document.querySelectorAll("[style]").length'), 0,
           "$name: no style attributes");
        accessible($b, $name);
        $b->shoot("page-$name");
    }
    $b->cdp('Emulation.clearDeviceMetricsOverride');
    $b->set_scheme('light');
    return;
}

my $axe;

sub accessible {
    my ($b, $name) = @_;
    $axe //= read_axe();
    $b->run($axe);
    my $found = $b->run_async(<<'END');
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(
  (result) => done(result.violations.map((one) => one.id + ": " + one.help +
    one.nodes.slice(0, 5).map((node) => "\n  " + node.html.slice(0, 160) +
      "\n    " + (node.failureSummary || "").replace(/\s+/g, " ")).join(""))),
  (error) => done(["axe: " + error]));
END
    is(join("\n", @$found), '', "$name: accessible");
    return;
}

sub read_axe {
    my $dir = File::Spec->rel2abs($ENV{AMGR_NPM} // build_dir() . '/npm',
                                  AMGR::Httpd::repo_dir());
    my $file = "$dir/node_modules/axe-core/axe.min.js";
    open my $fh, '<:encoding(UTF-8)', $file
        or die "$file: $! (make deps-test)\n";
    local $/;
    return scalar <$fh>;
}

1;
