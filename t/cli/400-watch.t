#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The watch in a real terminal, over a real server: keys, sizes, kills as they
# happen, a server that stops and starts, and a terminal that is given back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use AMGR::Tmux;
use Apache::Test qw(-withtestmore);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms',
                         config => "ManagerMinAge 100ms\n"
                                 . "ManagerMaxRequests 20\n");
$s->start;
my $url = $s->url('/manager-status');
my $watch = "apache-manager --watch --interval=0.5 --url=$url";

# ---- a small terminal, keys, and both ways of resizing -----------------------

my $t = AMGR::Tmux->new(60, 12);
$t->type($watch, 'Enter');
$t->shows(qr/^Workers .* \d+ busy, \d+ idle .*of 10$/m, 'workers');
$t->shows(qr/^Memory .*avg .*max/m, 'memory');
$t->shows(qr/^ +PID GROUP +STATE.*RSS\x{25bc}/m, 'processes, by memory');
$t->shows(qr/^ +\d+ native +serving .*0\/1/m, 'a worker');
$t->shows(sub { return ($t->lines)[11] =~ /^q quit +h help/ }, 'the keys');
$t->shows(qr/\AApache\/\S+/, 'the server comes first');

$t->type('p')->shows(qr/PID\x{25b2}/, 'p sorts by pid');
sub pids { return $_[0] =~ /^ *(\d+) native/mg }
$t->shows(sub {
    my @pids = pids($_[0]);
    return @pids > 1 && "@pids" eq join ' ', sort { $a <=> $b } @pids;
}, 'pids ascend');
$t->type('R')->shows(sub {
    my @pids = pids($_[0]);
    return @pids > 1 && "@pids" eq join ' ', sort { $b <=> $a } @pids;
}, 'R reverses them');
$t->type('Tab')->shows(qr/PID M +TIME/, 'Tab shows slots');
$t->type('h')->shows(qr/^q Ctrl-C +quit/m, 'h helps');
$t->type('h')->shows(qr/PID M +TIME/, 'and again does not');
$t->type('+')->shows(qr/every 1s/, '+ makes the interval longer');
$t->type('-')->shows(qr/every 0\.5s/, '- makes it shorter');
$t->type('s')->shows(qr/GROUP/, 's shows processes');
$t->type('m')->shows(qr/RSS\x{25bc}/, 'm sorts by memory');

$t->resize(200, 50)->shows(qr/PID .* AGE +TIME REQUEST/, 'wider: all columns');
$t->shows(qr/^Rates .*requests\/s/m, 'higher: rates');
$t->shows(qr/^Busy 1h .*peak \d/m, 'and the last hour');
$t->shows(sub { return ($t->lines)[49] =~ /^q quit/ }, 'down to the last row');
$t->resize(20, 5)->shows(qr/\Atoo small/, 'too small for anything');
$t->resize(3, 2)->shows(qr{\At}, q{even for that});
$t->resize(1, 1);
$t->resize(60, 12)->shows(qr/^q quit/m, 'and back');

# ---- scrolling ---------------------------------------------------------------

$t->resize(60, 8);
sub top { return ($_[0] =~ /^ *(\d+) (?:native|helper)/m)[0] // 0 }
my $first = $s->ticker_pid; # the parent's first child
$t->type('p')->shows(sub { top($_[0]) == $first }, 'by pid');
$t->type('Down')->shows(sub { top($_[0]) > $first }, 'down');
$t->type('Home')->shows(sub { top($_[0]) == $first }, 'to the beginning');
$t->type('End')->shows(sub { top($_[0]) > $first }, 'to the end');
$t->type('PPage', 'PPage', 'PPage')
    ->shows(sub { top($_[0]) == $first }, 'pages up');

# ---- kills as they happen ----------------------------------------------------

$t->resize(100, 30);
unlike($t->screen, qr/OUTCOME/, 'no kill so far');
$s->get('/') for 1 .. 200;
$t->shows(qr/AGO +PID GROUP +REASON.*\n +\d+s +\d+ native +requests +\d+ /,
          'a kill appears');
$t->type('k')->shows(sub {
    return $_[0] =~ /OUTCOME/ && $_[0] !~ /BUSY/;
}, 'k shows kills alone');
$t->shows(sub { $t->screen('-e') =~ /\e\[(?:0;)?1m\e\[36m|\e\[1;36m/ },
          'new ones stand out');
$t->type('k')->shows(qr/BUSY/, 'k again: processes');

# ---- the server goes and comes -----------------------------------------------

my @wrong = $s->stop;
is("@wrong", '', 'the server stops');
$t->shows(qr/^No answer for \d+s: /m, 'that is said');
# It may have been known last while the server was about to end.
$t->shows(qr/^ +\d+ (?:native|helper) /m, 'what was known last is still there');
is($s->try_start // q{}, q{}, q{the server starts where it was});
$t->shows(sub { return $_[0] !~ /No answer/ && $_[0] =~ /native/ },
          'it is read again');

# ---- a terminal that is given back -------------------------------------------

$t->type('C-z')->shows(qr/^\[1\]\+ +Stopped.*^ready>$/ms, 'Ctrl-Z stops it');
$t->type('fg', 'Enter')->shows(qr/\AApache/, 'fg brings it back');
$t->type('q')->shows(qr/^ready>$/m, 'q quits');
unlike($t->screen, qr/Workers/, 'nothing of it is left');
sub answer {
    my ($command, $want, $name) = @_;
    $t->type('clear', 'Enter');
    $t->type($command, 'Enter');
    $t->shows(qr/^\Q$want\E$/m, $name);
}
answer('echo "code $?"', 'code 0', 'q is success');
answer('stty -a | grep -ow -e -icanon -e icanon -e -echo -e echo | xargs',
       'icanon echo', 'the terminal is as it was');

for my $end (['C-c', sub { $t->type('C-c') }],
             map { my $signal = $_;
                   [$signal, sub { kill $signal, $t->program_pid }] }
             qw(TERM HUP QUIT)) {
    my ($name, $do) = @$end;
    $t->type('clear', 'Enter');
    $t->type("$watch; echo code \$?", 'Enter');
    $t->shows(qr/^Workers/m, "$name: the watch");
    $do->();
    $t->shows(qr/^code 0$/m, "$name ends it well");
}
answer('stty -a | grep -ow -e -icanon -e icanon | xargs', 'icanon',
       'and the terminal is as it was');

# ---- stopped, and ended by its shell ------------------------------------------

# As shells do it: SIGTERM, and SIGCONT so that it is heard.
for my $stop (['Ctrl-Z', sub { $t->type('C-z') }],
              ['Ctrl-Z and bg', sub {
                   $t->type('C-z')->shows(qr/^\[1\]\+ +Stopped/m, 'Ctrl-Z');
                   $t->type('clear', 'Enter', 'bg', 'Enter');
                   wait_until(sub { # told before a prompt
                       return $t->type('Enter')->screen =~ /^\[1\]\+ +Stopped/m;
                   }, 20, 'it has stopped itself');
               }],
              ['SIGSTOP', sub { kill 'STOP', $t->program_pid }]) {
    my ($name, $do) = @$stop;
    $t->type('clear', 'Enter', $watch, 'Enter')
        ->shows(qr/^Workers/m, "$name: the watch");
    my $pid = $t->program_pid;
    $do->();
    $t->shows(qr/^\[1\]\+ +Stopped/m, "$name: it is stopped");
    $t->type('kill %1', 'Enter');
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, 20, "$name: its end"),
       "$name: kill ends it") or kill 'KILL', $pid;
    $t->type('wait', 'Enter', 'clear', 'Enter');
    answer('stty -a | grep -ow -e -icanon -e icanon -e -echo -e echo | xargs',
           'icanon echo', "$name: the terminal is as it was");
    is($t->tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}'),
       "0 1\n", "$name: and its screen");
}

# ---- terminals and colours ---------------------------------------------------

my $color = qr/\e\[(?:[\d;]*;)?3[0-7]m/;
$t->type($watch, 'Enter')->shows(qr/^Workers/m, 'in colours');
$t->shows(sub { $t->screen('-e') =~ $color }, 'there are some');
$t->type('q')->shows(qr/^ready>$/m, 'quit');
$t->type('clear', 'Enter');
$t->type("NO_COLOR=1 $watch", 'Enter')->shows(qr/^Workers/m, 'NO_COLOR');
unlike($t->screen('-e'), $color, 'there is none');
$t->shows(sub { $t->screen('-e') =~ /\e\[(?:0;)?7m/ },
          'but the heading stands out');
$t->type('q')->shows(qr/^ready>$/m, 'quit');
$t->type('clear', 'Enter');
$t->type("$watch --color=never", 'Enter')->shows(qr/^Workers/m, 'never');
unlike($t->screen('-e'), $color, 'there is none');
$t->type('q')->shows(qr/^ready>$/m, 'quit');
for my $term (qw(nonesuch dumb)) {
    $t->type('clear', 'Enter');
    $t->type("TERM=$term $watch; echo code \$?", 'Enter');
    $t->shows(qr/^apache-manager: [^\n]*'$term'.*^code 1$/ms,
              "TERM=$term is told of");
}
$t->end;

# ---- without a terminal ------------------------------------------------------

my $r = cli('--watch', '--url', $url);
is($r->{code}, 1, 'no terminal');
is($r->{out}, '', 'nothing on standard output');
like($r->{err}, qr/\Aapache-manager: .*terminal.*--once/, 'what to do instead');

sub check_once {
    my ($name, $columns, $how, @args) = @_;
    my $r = cli($how, '--watch', '--once', '--url', $url, @args);
    is($r->{code}, 0, "$name: success") or diag($r->{err});
    is($r->{err}, '', "$name: nothing on standard error");
    (my $plain = $r->{out}) =~ s/\e\[[\d;]*m//g;
    like($plain, qr/^Workers.*^Memory.*^ +PID GROUP.*native/ms,
         "$name: the picture");
    utf8::decode($_) for $plain, $r->{out};
    is(scalar(grep { length > $columns } split /\n/, $plain), 0,
       "$name: no line is longer than $columns");
    return $r->{out};
}
my %utf8 = (LC_ALL => 'C.UTF-8');
unlike(check_once('once', 80, { env => \%utf8 }), qr/\e/, 'no sequences');
unlike(check_once('narrow', 50, { env => { %utf8, COLUMNS => 50 } }), qr/GROW/,
       'fewer columns');
like(check_once('ASCII', 80, { env => { LC_ALL => 'C' } }), qr/\A[\x00-\x7f]+\z/, 'nothing but ASCII');
like(check_once('coloured', 80, { env => \%utf8 }, '--color=always'),
     qr/\e\[32m/, 'in colours');
if ($> == 0) {
    check_once('an ordinary user', 80, { env => \%utf8, as_user => 65534 });
    my $user = AMGR::Tmux->new(200, 50);
    my $program = AMGR::Cli::public_program();
    $user->type("setpriv --reuid=65534 --regid=65534 --clear-groups $program "
                . "--watch --interval=0.5 --url=$url", 'Enter');
    $user->shows(qr/^Workers .* busy, .*status\.json|status\.json.*^Workers /ms,
                 'an ordinary user: workers, by the page');
    $user->type('Tab')->shows(qr/PID.* M +TIME/, 'an ordinary user: slots');
    $user->resize(60, 12)->shows(sub { return ($user->lines)[11] =~ /^q quit/ },
                                 'an ordinary user: a small terminal');
    $user->type('q');
    ok(wait_until(sub { !$user->program_pid }, 30, 'its end'),
       'an ordinary user: q ends it');
    $user->end;
}

$s->stop_ok;
$r = cli('--watch', '--once', '--url', $url);
is($r->{code}, 1, 'no server');
is($r->{out}, '', 'no picture');
like($r->{err}, qr/\Aapache-manager: .+\n\z/, 'one line says so');
done_testing();
