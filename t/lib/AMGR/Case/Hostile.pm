# SPDX-License-Identifier: Apache-2.0
#
# What the world may do to the module: workers that lie, files that are traps,
# disks that are full, rights that are missing, servers that share a directory.
package AMGR::Case::Hostile;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time);

use constant NOBODY => 65534;

sub run {
    my ($mpm) = @_;
    # They come of age meanwhile.
    my $user = user_server($mpm);
    my $plain = plain_server($mpm);
    my $file = score_board_server($mpm);
    my @pair = same_directory_servers($mpm);
    lies($mpm);
    data_files($mpm);
    ordinary_user($mpm, $user);
    one_process($mpm);
    without_extended_status($mpm, $plain);
    score_board_file($mpm, $file);
    same_directory($mpm, @pair);
    done_testing();
    return;
}

sub healthy {
    my ($s, $what) = @_;
    is($s->get('/')->code, 200, "$what: it serves");
    my $text = $s->get('/manager-status/status.json')->content;
    is_deeply([schema_errors($text)], [], "$what: status.json obeys its schema");
    is($s->get('/manager-status')->code, 200, "$what: the page");
    like($s->get('/manager-status/metrics.txt')->content,
         qr/^status-response\t[01]$/m, "$what: metrics.txt");
    return;
}

# ---- a worker that scribbles over what it shares ---------------------------

sub lies {
    my ($mpm) = @_;
    # The MPM believes the lies and starts more: it must not end any of them
    # for being too many afterwards.
    (my $sizes = AMGR::Httpd::mpm_sizes($mpm)) =~
        s/^(MaxSpare\w+) \d+/$1 100/m;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '300ms',
                             mpm_config => $sizes, name => "$mpm-lies");
    my $module = $s->build_object('mod_scribble');
    $s->{config} = <<"END";
LoadModule scribble_module $module
<Location "/scribble">
    SetHandler scribble
</Location>
ManagerMaxMemoryActive 4G
ManagerMinAge 200ms
END
    $s->start;
    AMGR::Case::Retire::grow_up($s);

    my @board = split /\n/, $s->get('/scribble?board=1')->content;
    is_deeply(\@board, ['board r--s EACCES'],
              "$mpm: a worker has the board to read, once, for good");

    # A stranger, a child of this test, whom root could well kill.
    my $stranger = fork // die "fork: $!\n";
    if ($stranger == 0) {
        exec qw(setpriv --pdeathsig KILL sleep 300) or POSIX::_exit(127);
    }
    my @before = $s->children;
    for my $pid ($stranger, $s->parent_pid, 1, -1, $$) {
        my $name = $pid == $stranger ? 'a stranger' : $pid == $$ ? 'this test'
            : $pid == $s->parent_pid ? 'the parent' : $pid;
        my $lie = $s->start_request("/scribble?pids=$pid&hang=1&secs=1");
        ok($s->wait_ticks(2), 'a whole tick');
        ok($lie->wait(30), "$mpm: rows that belong to $name");
        is($lie->status, 200, 'the liar lives');
        healthy($s, "pid $name");
    }
    AMGR::Case::Retire::all_live("$mpm: nobody ends for a lie", $stranger,
                                 $s->parent_pid, @before);
    is_deeply($s->json->{kills}, [], 'nobody was retired');
    cmp_ok($s->json->{manager}{errors}{scoreboard}, '>=', 1,
           "$mpm: contradictions are counted");

    my $noise = $s->start_request('/scribble?noise=1&secs=2');
    ok($s->wait_ticks(4), 'some ticks');
    ok($noise->wait(30), "$mpm: noise over what children may write");
    like($noise->body // '', qr/mappings=\d+/, 'and it tells');
    healthy($s, 'after the noise');
    AMGR::Case::Retire::all_live("$mpm: nobody ends for noise", $stranger,
                                 $s->parent_pid, @before);
    my $ticks = $s->json->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} > $ticks + 2 }, 30, 'ticks'),
       'it ticks on');

    # A forged age can at worst retire a genuine child.
    $s->set_config("$s->{config}ManagerMaxTime 1s\n");
    $s->graceful or return fail('graceful');
    AMGR::Case::Retire::grow_up($s);
    my $forged = $s->start_request("/scribble?pids=$stranger&hang=1&secs=3");
    $forged->wait(30);
    my @killed = map { $_->{pid} } @{ $s->json->{kills} };
    ok(AMGR::Httpd::is_alive($stranger), "$mpm: a stranger is never signalled");
    ok($s->is_running, 'nor is the parent');
    is(scalar(grep { $_ == $stranger || $_ == $s->parent_pid || $_ <= 1 }
              @killed), 0, 'and no record names them');
    ok(wait_until(sub { $s->get('/')->code == 200 }, 30, 'service'),
       "$mpm: it serves");
    kill 'TERM', $stranger;
    waitpid $stranger, 0;
    $s->expect_log(qr/AMGR00(?:15|03|04|05): /, qr/AH1039[23]/,
                   qr/long lost child came home/);
    $s->stop_ok;
    return;
}

# ---- the data file's place -------------------------------------------------

# What stands where the file is to be, and how it is put there.
my %trap = (
    symlink   => sub { symlink "$_[0]/victim", $_[1] },
    directory => sub { mkdir $_[1] },
    fifo      => sub { POSIX::mkfifo($_[1], 0600) },
    dangling  => sub { symlink "$_[0]/not-there", $_[1] },
);

# All servers at once: each tries once a second.
sub data_files {
    my ($mpm) = @_;
    my %of = map { $_ => [data_server($mpm, $_)] } keys %trap, 'hard link',
        'open directory', 'sticky directory', 'full', 'readonly',
        'missing directory';
    for my $kind (keys %of) {
        my ($s, $dir) = @{ $of{$kind} };
        prepare($kind, $s, $dir);
        push @{ $of{$kind} }, join ' ', (lstat "$dir/data.txt")[0, 1, 2];
    }
    $_->[0]->start for values %of;
    trapped($mpm, $_, @{ $of{$_} }) for sort keys %trap;

    my ($s, $dir) = @{ $of{'hard link'} };
    ok(wait_until(sub { AMGR::Httpd::slurp("$dir/data.txt") =~ /^uptime\t/m },
                  30, 'the data file'), "$mpm: a hard link is replaced");
    is(AMGR::Httpd::slurp("$dir/victim"), "precious\n",
       'not written through');
    $s->stop_ok;
    ok(!-e "$dir/data.txt", 'the data file is removed at the end');

    ($s, $dir) = @{ $of{'open directory'} };
    refused($s, "$mpm: a directory that all may write");
    ok(!-e "$dir/data.txt", 'is not written');
    # It is news again when it changes, and only then.
    chmod 0755, $dir;
    ok(wait_until(sub { -s "$dir/data.txt" }, 30, 'the data file'),
       "$mpm: put right, it is written");
    $s->stop_ok;

    ($s, $dir) = @{ $of{'sticky directory'} };
    ok(wait_until(sub { -s "$dir/data.txt" }, 30, 'the data file'),
       "$mpm: a sticky directory will do");
    $s->stop_ok;

    for my $fault (qw(full readonly)) {
        ($s, $dir) = @{ $of{$fault} };
        refused($s, "$mpm: a disk that is $fault");
        is(AMGR::Httpd::slurp("$dir/data.txt"), "old\n", 'the old file stands');
        only_these($dir, 'data.txt', 'victim');
        $s->stop_ok;
    }

    ($s, $dir) = @{ $of{'missing directory'} };
    refused($s, "$mpm: a directory that is not there");
    $s->stop_ok;
    return;
}

# What each kind needs before its server is started.
sub prepare {
    my ($kind, $s, $dir) = @_;
    if ($trap{$kind}) {
        $trap{$kind}->($dir, "$dir/data.txt") or die "$kind: $!\n";
    }
    elsif ($kind eq 'hard link') {
        link "$dir/victim", "$dir/data.txt" or die "link: $!\n";
    }
    elsif ($kind =~ /^(?:full|readonly)$/) {
        $s->write('work/data/data.txt', "old\n");
        $s->{env} = { LD_PRELOAD => $s->build_object('fault'),
                      AMGR_FAULT => $kind, AMGR_FAULT_DIR => $dir };
    }
    elsif ($kind eq 'missing directory') {
        $s->{config} =~ s{/data\.txt}{/no/data.txt};
    }
    else {
        chmod $kind eq 'sticky directory' ? 01777 : 0777, $dir;
    }
    return;
}

sub trapped {
    my ($mpm, $kind, $s, $dir, $was) = @_;
    refused($s, "$mpm: $kind");
    is(join(' ', (lstat "$dir/data.txt")[0, 1, 2]), $was,
       "$mpm: the $kind is as it was");
    is(AMGR::Httpd::slurp("$dir/victim"), "precious\n", 'nothing was '
       . 'written through it');
    ok(!-e "$dir/not-there", 'nor made');
    only_these($dir, 'data.txt', 'victim');
    $s->stop_ok;
    ok(-l "$dir/data.txt" || -e _, "$mpm: and stays after the end");
    return;
}

sub data_server {
    my ($mpm, $kind) = @_;
    $kind =~ tr/ /-/;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             name => "$mpm-$kind");
    my $dir = $s->path('work/data');
    mkdir $dir, 0755 or die "$dir: $!\n";
    $s->write('work/data/victim', "precious\n");
    $s->{config} = "ManagerDataFile $dir/data.txt\n";
    return ($s, $dir);
}

# It is counted at each try, logged once, and the server goes on.
sub refused {
    my ($s, $what) = @_;
    $s->expect_log(qr/AMGR0008: /);
    ok(wait_until(sub { $s->json->{manager}{errors}{data_file} >= 2 }, 30,
                  'two errors'), "$what is refused, and counted")
        or diag(JSON::PP->new->canonical->encode(
                    $s->json->{manager}{errors}));
    my @lines = $s->log_lines(qr/AMGR0008: /);
    is(scalar @lines, 1, "$what is logged once") or diag(join "\n", @lines);
    like($lines[0] // '', qr/\Q$s->{root}\E/, 'with its path');
    healthy($s, $what);
    return;
}

sub only_these {
    my ($dir, @names) = @_;
    opendir my $fh, $dir or die "$dir: $!\n";
    is(join(' ', sort grep { !/^\.\.?$/ } readdir $fh),
       join(' ', sort @names), 'no temporary file is left');
    return;
}

# ---- rights ----------------------------------------------------------------

sub uid { return AMGR::Httpd::is_root() ? NOBODY : $> }

sub user_server {
    my ($mpm) = @_;
    return AMGR::Case::Retire::server($mpm, 'ManagerMaxMemoryIdle 150M',
                                      as_user => uid(),
                                      name => "$mpm-user");
}

sub ordinary_user {
    my ($mpm, $s) = @_;
    my $uid = uid();
    is((stat '/proc/' . $s->parent_pid)[4], $uid, 'an ordinary user');
    AMGR::Case::Retire::grow_up($s);
    my @before = $s->children;
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: retired without root");
    AMGR::Case::Retire::all_live('nobody else', grep { $_ != $pid } @before);
    AMGR::Case::Retire::record($s, $pid);
    healthy($s, 'an ordinary user');
    is((stat $s->board_file)[4], $uid, 'the board is theirs');
    $s->stop_ok;
    return;
}

# ---- configurations out of the ordinary ------------------------------------

# Nothing ticks and nothing acts; what is asked for is collected at once.
sub one_process {
    my ($mpm) = @_;
    my $s = AMGR::Case::Retire::server($mpm, 'ManagerMaxMemoryIdle 150M',
                                       args => ['-X'], name => "$mpm-X");
    my $pid = AMGR::Case::Retire::leak($s, 200);
    my $json = $s->json;
    is($json->{manager}{ticks}, 0, "$mpm -X: no tick");
    my ($me) = grep { $_->{pid} == $pid } @{ $json->{processes} };
    ok(!$me || ($me->{rss_bytes} // 0) > 200 << 20, 'memory of now')
        or diag(JSON::PP->new->canonical->encode($me));
    is_deeply($json->{kills}, [], 'nobody is retired');
    healthy($s, "$mpm -X");
    like($s->get('/manager-status')->content, qr/-X|one process/i,
         'the page says so');
    ok($s->is_running, 'it runs');
    $s->stop_ok;
    return;
}

sub plain_server {
    my ($mpm) = @_;
    return AMGR::Case::Retire::server($mpm, "ExtendedStatus Off\n"
        . "ManagerMaxTime 1s\nManagerMaxMemoryIdle 150M", name => "$mpm-plain");
}

sub without_extended_status {
    my ($mpm, $s) = @_;
    AMGR::Case::Retire::grow_up($s);
    my $long = $s->start_request('/app/sleep?s=3');
    ok($long->wait(30), 'the long request ends');
    is($long->status, 200, "$mpm: without ExtendedStatus no time is judged");
    my @lines = $s->log_lines(qr/AMGR0013: /);
    is(scalar @lines, 1, 'and the log says so');
    my $json = $s->json;
    is($json->{server}{total_accesses}, undef, 'nobody counts accesses');
    is($json->{server}{requests_per_second}, undef, 'nor their rate');
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: memory is judged all the same");
    healthy($s, 'without ExtendedStatus');
    $s->expect_log(qr/AMGR0013: /);
    $s->stop_ok;

    # Unless the configuration says otherwise the module turns it on.
    $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-extended")->start;
    $s->get('/') for 1 .. 3;
    ok(wait_until(sub { ($s->json->{server}{total_accesses} // 0) >= 3 }, 30,
                  'accesses'), "$mpm: ExtendedStatus is on without a word");
    $s->stop_ok;
    return;
}

sub score_board_server {
    my ($mpm) = @_;
    return AMGR::Case::Retire::server($mpm, "ScoreBoardFile scoreboard\n"
                                      . 'ManagerMaxMemoryIdle 150M',
                                      name => "$mpm-scoreboard");
}

sub score_board_file {
    my ($mpm, $s) = @_;
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: with a ScoreBoardFile too");
    healthy($s, 'with a ScoreBoardFile');
    $s->stop_ok;
    return;
}

# Two servers in one runtime directory: the second keeps off.
sub same_directory_servers {
    my ($mpm) = @_;
    my $first = AMGR::Httpd->new(mpm => $mpm, interval => '300ms',
                                 name => "$mpm-first")->start;
    ok($first->wait_ticks(1), 'the first ticks');
    my $inode = (stat $first->board_file)[1];
    my $second = AMGR::Case::Retire::server(
        $mpm, 'ManagerMaxMemoryIdle 150M', name => "$mpm-second",
        runtime_dir => $first->runtime_file('.'));
    return ($first, $second, $inode);
}

sub same_directory {
    my ($mpm, $first, $second, $inode) = @_;
    is(scalar(my @l = $second->log_lines(qr/AMGR0010: /)), 1,
       "$mpm: the second says that it will not share");
    $second->expect_log(qr/AMGR0010: /);
    AMGR::Case::Retire::grow_up($second);
    my $pid = AMGR::Case::Retire::leak($second, 200);
    AMGR::Case::Retire::gone($second, $pid, 30, 'and does its work');
    is_deeply($first->json->{kills}, [], 'which the first knows nothing of');
    my %first = map { $_ => 1 } $first->children;
    is(scalar(grep { $first{ $_->{pid} } } @{ $second->json->{processes} }),
       0, 'each shows its own');
    healthy($first, 'the first');
    healthy($second, 'the second');
    is((stat $first->board_file)[1], $inode, 'the board is the first\'s');
    # What it leaves behind is the first's: no matter of its own end.
    my @wrong = grep { !/the (?:board|data) file stayed/ } $second->stop;
    is("@wrong", '', 'the second ends');
    ok(-e $first->board_file, "$mpm: and leaves the board");
    ok(-e $first->data_file, 'and the data file');
    ok($first->wait_ticks(2), 'the first ticks on');
    is($first->data->{'workers-killed-idle'}, 0,
       'and the data file is its own');
    $first->stop_ok;
    return;
}

1;
