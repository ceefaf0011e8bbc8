# SPDX-License-Identifier: Apache-2.0
#
# The administrator's programs before and after a retirement: what they are
# told, as whom and in what they run, and that none of them holds up anything
# for longer than it may.
package AMGR::Case::Command;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

# What became of retirements; mod_wsgi and httpd are surprised by them.
my @expected = (qr/\[wsgi:(?:error|warn)\]/, qr/AH1039[23]/);

sub run {
    my ($mpm) = @_;
    told($mpm);
    kill_waits($mpm);
    out_of_time($mpm);
    not_executable($mpm);
    dry_run($mpm);
    hostile_text($mpm);
    too_many($mpm);
    leash($mpm) if $mpm eq 'prefork'; # on event children end slowly
    done_testing();
    return;
}

# A program that writes down how it was run; then the lines of $more.
sub reporter {
    my ($s, $more) = @_;
    $more //= '';
    my $dir = $s->path('work/told');
    mkdir $dir or die "$dir: $!\n";
    chmod 0777, $dir or die "$dir: $!\n";
    return $s->write('work/reporter', <<"END", 0755);
#!/usr/bin/perl
use strict;
my \$event = \$ENV{AMGR_EVENT};
my \$file = "$dir/\$event.\$ENV{AMGR_PID}";
open my \$out, '>', "\$file.new" or die "\$file: \$!";
sub slurp { open my \$in, '<', \$_[0] or die; local \$/; return <\$in> }
opendir my \$fds, '/proc/self/fd' or die;
my \@fd = map { "\$_ " . readlink "/proc/self/fd/\$_" }
    sort grep { /\\d/ && \$_ != fileno \$out } readdir \$fds;
closedir \$fds;
print {\$out} join "\\0", 'environ', slurp('/proc/self/environ');
for my \$part (qw(status stat limits)) {
    print {\$out} join "\\0", "\\1\$part", slurp("/proc/self/\$part");
}
print {\$out} join "\\0", "\\1fd", \@fd;
print {\$out} join "\\0", "\\1argv", \@ARGV;
print {\$out} "\\1cwd\\0", readlink '/proc/self/cwd';
close \$out or die;
rename "\$file.new", \$file or die;
print "out of \$event\\n";
print STDERR "error of \$event\\n";
$more
END
}

# Its words: { environ => {...}, fd => [...], status => text ... }.
sub report {
    my ($s, $event, $pid) = @_;
    my $file = $s->path("work/told/$event.$pid");
    my $name = $s->name;
    ok(wait_until(sub { -e $file }, 30, "the $event program of $pid"),
       "$name: the program was run $event") or return {};
    my %part;
    for (split /\x01/, AMGR::Httpd::slurp($file)) {
        my ($part, @lines) = split /\0/;
        $part{$part} = \@lines;
    }
    $part{environ} = { map { /^([^=]*)=(.*)$/s } @{ $part{environ} } };
    return \%part;
}

# A server whose requests may take a second, and a program.
sub server {
    my ($mpm, $name, $program, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '300ms',
                             modules => ['wsgi'], name => "$mpm-$name",
                             %more);
    my $wsgi = $s->wsgi_script;
    $s->expect_log(@expected);
    my $lines = $program->($s);
    $s->{config} .= <<"END";
ManagerMinAge 1ms
ManagerMaxTime 1s
ManagerStormLimit Off
WSGIScriptAlias /app $wsgi
$lines
END
    return $s->start;
}

# A request that hangs, and the record of the retirement it brings about.
sub hang {
    my ($s, $query, $seconds) = @_;
    my %known = map { $_->{pid} => 1 } @{ $s->json->{kills} };
    my $request = $s->start_request(
        '/app/sleep?s=' . ($seconds // 60) . ($query // ''));
    my $record = wait_until(sub {
        my ($new) = grep { !$known{ $_->{pid} } } @{ $s->json->{kills} };
        $new;
    }, 30, 'a retirement');
    ok($record, $s->name . ': a retirement') or return ($request, {});
    return ($request, $record);
}

sub errors { return $_[0]->json->{manager}{errors}{command} }

# ---- the parts --------------------------------------------------------------

sub told {
    my ($mpm) = @_;
    my $s = server($mpm, 'told', sub {
        my $program = reporter($_[0]);
        return qq(ManagerKillCommand before $program one "two words" '\$(id)'\n)
            . "ManagerKillCommand After $program";
    });
    my ($request, $record) = hang($s);
    my $pid = $record->{pid} or return;
    my $before = report($s, 'before', $pid);
    my $after = report($s, 'after', $pid);
    my $r = AMGR::Case::Retire::record($s, $pid);
    ok($request->wait(30), "$mpm: the request ends");

    my @both = qw(PATH AMGR_EVENT AMGR_PID AMGR_GROUP AMGR_KIND AMGR_REASON
                  AMGR_MEASURED AMGR_LIMIT AMGR_REQUESTS AMGR_VHOST
                  AMGR_REQUEST);
    my @more = qw(AMGR_ACTION AMGR_OUTCOME AMGR_SECONDS AMGR_REQUESTS_LOST
                  AMGR_FREED);
    my ($env, $end) = ($before->{environ}, $after->{environ});
    is_deeply([sort keys %$env], [sort @both], "$mpm: before: no other "
              . 'variable');
    is_deeply([sort keys %$end], [sort @both, @more], "$mpm: after: nor here");
    is($env->{AMGR_EVENT}, 'before', 'the event before');
    is($end->{AMGR_EVENT}, 'after', 'the event after');
    for my $name (grep { $_ ne 'AMGR_EVENT' } @both) {
        is($end->{$name}, $env->{$name}, "$name is the same in both");
    }
    is($env->{AMGR_PID}, $pid, 'pid');
    is($env->{AMGR_KIND}, 'native', 'kind');
    is($env->{AMGR_GROUP}, 'native', 'group');
    is($env->{AMGR_REASON}, 'time', 'reason');
    is($env->{AMGR_LIMIT}, '1.000', 'limit in seconds');
    like($env->{AMGR_MEASURED}, qr/^\d+\.\d{3}$/, 'measured');
    cmp_ok(abs($env->{AMGR_MEASURED} - $r->{measured}), '<', 0.002,
           'measured, as on record');
    is($env->{AMGR_REQUESTS}, $r->{requests}, 'requests');
    is($env->{AMGR_VHOST}, $r->{vhost}, 'virtual host');
    is($env->{AMGR_REQUEST}, $r->{request}, 'request');
    is($env->{AMGR_REQUEST}, 'GET /app/sleep HTTP/1.1', 'without its query');
    is($end->{AMGR_ACTION}, 'kill', 'action');
    is($end->{AMGR_OUTCOME}, 'gone', 'outcome');
    is($end->{AMGR_REQUESTS_LOST}, $r->{requests_lost}, 'requests lost');
    cmp_ok($end->{AMGR_REQUESTS_LOST}, '>=', 1, 'which are some');
    cmp_ok($end->{AMGR_FREED}, '>', 1 << 20, 'bytes freed');
    cmp_ok(abs($end->{AMGR_SECONDS} - $r->{ended_seconds}), '<', 0.002,
           'seconds, as on record');
    is_deeply($before->{argv}, ['one', 'two words', '$(id)'],
              "$mpm: arguments, and no shell");
    is_deeply($after->{argv} // [], [], 'no arguments');
    surroundings($s, $_) for $before, $after;

    for my $event (qw(before after)) {
        ok(wait_until(sub { $s->log_text(0) =~ /^error of $event$/m }, 30,
                      'its standard error'), "$mpm: $event: its errors go to "
           . 'the log');
        like($s->log_text(0), qr/^out of $event$/m, 'and its output');
        ok(wait_until(sub {
            grep { /AMGR0028: $event command of worker $pid: process \d+ ended by exit status 0 / }
                $s->log_lines;
        }, 30, 'its end'), "$mpm: $event: its end was seen");
    }
    is(errors($s), 0, "$mpm: nothing went wrong");
    is(scalar(my @p = children_of_ticker($s)), 0, 'and nobody is left');
    $s->stop_ok;
    return;
}

sub children_of_ticker {
    my ($s) = @_;
    return $s->children($s->ticker_pid);
}

# As whom and in what it runs.
sub surroundings {
    my ($s, $report) = @_;
    my $name = $s->name . ' ' . $report->{environ}{AMGR_EVENT};
    my $status = $report->{status}[0];
    my ($uid, $gid) = ($>, $) + 0);
    ($uid, $gid) = (getpwnam 'www-data')[2, 3] if $s->is_root;
    like($status, qr/^Uid:(?:\t$uid){4}$/m, "$name: httpd's User");
    like($status, qr/^Gid:(?:\t$gid){4}$/m, "$name: httpd's Group");
    if ($s->is_root) {
        like($status, qr/^Groups:\t$gid ?$/m, "$name: and no other group");
        like($status, qr/^Cap(?:Prm|Eff):\t0+$/m, "$name: no capability");
    }
    like($status, qr/^SigBlk:\t0+$/m, "$name: no signal is blocked");
    # Perl itself ignores SIGFPE; 32 and 33 are the C library's own, which lets
    # nobody change them, and whoever started all this may have.
    my ($ignored) = $status =~ /^SigIgn:\t([0-9a-f]+)$/m;
    no warnings 'portable'; # 64 signals
    is(hex($ignored // 'ff') & ~(1 << 7 | 1 << 31 | 1 << 32), 0,
       "$name: nor ignored");
    my $log = $s->log_file;
    is_deeply($report->{fd} ? [grep { !m{ /proc/\d+/fd$} } @{ $report->{fd} }]
              : undef, ['0 /dev/null', "1 $log", "2 $log"],
              "$name: three descriptors and no more");
    is($report->{cwd}[0], '/', "$name: in /");
    my ($pid) = $report->{stat}[0] =~ /^(\d+)/;
    my @stat = split ' ', $report->{stat}[0] =~ s/^.*\) //sr;
    is($stat[1], $s->ticker_pid, "$name: a child of the ticker");
    is("@stat[2, 3]", "$pid $pid", "$name: in a session of its own");
    my $files = qr/^Max open files\s+(\d+)\s+(\d+)/m;
    my @own = $report->{limits}[0] =~ $files;
    my @httpd = AMGR::Httpd::slurp('/proc/' . $s->parent_pid . '/limits')
        =~ $files;
    is("@own", "@httpd", "$name: httpd's own limit of open files");
    return;
}

# The kill comes when the program has ended, and not before.
sub kill_waits {
    my ($mpm) = @_;
    my $go;
    my $s = server($mpm, 'waits', sub {
        my ($s) = @_;
        $go = $s->path('work/go');
        my $program = reporter($s, "select undef, undef, undef, 0.03 until -e '$go';");
        return "ManagerKillCommand before $program\n"
            . "ManagerKillCommandTimeout 60s\nManagerGracePeriod 300ms";
    });
    my ($request, $record) = hang($s);
    my $pid = $record->{pid} or return;
    report($s, 'before', $pid);
    # Without the program it is killed a tick or two after the decision.
    ok($s->wait_ticks(8), 'eight ticks');
    AMGR::Case::Retire::all_live("$mpm: it lives as long as the program runs",
                                 $pid);
    my ($r) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
    is($r->{action}, $mpm eq 'prefork' ? 'announce' : 'ask',
       "$mpm: it was told, no more");
    is($r->{outcome}, 'pending', 'and waits');
    $s->write('work/go', '');
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: and then it is killed");
    is(AMGR::Case::Retire::record($s, $pid)->{action}, 'kill', 'by SIGKILL');
    ok($request->wait(30), 'the request ends');
    is(errors($s), 0, "$mpm: nothing went wrong");
    $s->stop_ok;
    return;
}

# A program that stops itself, and has started another.
sub out_of_time {
    my ($mpm) = @_;
    my $pids;
    my $s = server($mpm, 'timeout', sub {
        my ($s) = @_;
        $pids = $s->path('work/told/pids');
        my $program = reporter($s, <<"END");
my \$child = fork;
if (\$child == 0) { exec 'sleep', 600 }
open my \$pids, '>', '$pids.new';
print {\$pids} "\$\$ \$child";
close \$pids;
rename '$pids.new', '$pids';
kill 'STOP', \$\$;
sleep 600;
END
        return "ManagerKillCommand before $program\n"
            . 'ManagerKillCommandTimeout 1500ms';
    });
    $s->expect_log(qr/AMGR0030: /);
    my ($request, $record) = hang($s);
    my $pid = $record->{pid} or return;
    ok(wait_until(sub { -e $pids }, 30, 'the program'), "$mpm: it runs");
    my @program = split ' ', AMGR::Httpd::slurp($pids);
    my $begun = time; # the program would run for ten minutes
    AMGR::Case::Retire::gone($s, $program[0], 30, "$mpm: it is ended");
    AMGR::Case::Retire::gone($s, $program[1], 30, 'and what it started');
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: the worker is killed");
    cmp_ok(time - $begun, '<', 30, 'not much later than the limit');
    is(AMGR::Case::Retire::record($s, $pid)->{outcome}, 'gone', 'outcome');
    is(scalar(my @l = $s->log_lines(qr/AMGR0030: before command of worker $pid: process $program[0] is over ManagerKillCommandTimeout: SIGKILL/)),
       1, "$mpm: logged once");
    is(errors($s), 1, 'and counted');
    ok($request->wait(30), 'the request ends');
    is_deeply([schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        "$mpm: status.json obeys its schema");
    $s->stop_ok;
    return;
}

sub not_executable {
    my ($mpm) = @_;
    my $s = server($mpm, 'exec', sub {
        my $file = $_[0]->write('work/plain', "no program\n");
        return "ManagerKillCommand before /nonexistent/program\n"
            . "ManagerKillCommand after $file";
    });
    $s->expect_log(qr/AMGR0029: /);
    for my $time (1, 2) {
        my ($request, $record) = hang($s);
        my $pid = $record->{pid} or return;
        AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: it is retired all the "
                                 . 'same');
        ok($request->wait(30), 'the request ends');
        ok(wait_until(sub { errors($s) == 2 * $time }, 30, 'the count'),
           'both are counted') or diag(errors($s));
    }
    my @lines = $s->log_lines(qr/AMGR0029: /);
    is(scalar(grep { /:warn\].*\(2\)No such file.*before command of worker \d+: \/nonexistent\/program was not run: it cannot be executed/ } @lines),
       1, "$mpm: before: logged once") or diag(@lines);
    is(scalar(grep { /:warn\].*\(13\)Permission denied.*after command/ }
              @lines), 1, "$mpm: after: logged once") or diag(@lines);
    is(scalar @lines, 2, 'and that is all') or diag(@lines);
    $s->stop_ok;
    return;
}

sub dry_run {
    my ($mpm) = @_;
    my $s = server($mpm, 'dry', sub {
        my $program = reporter($_[0]);
        return "ManagerKillCommand before $program\n"
            . "ManagerKillCommand after $program\nManagerDryRun On";
    });
    my ($request, $record) = hang($s, '', 4);
    is($record->{outcome}, 'dry_run', "$mpm: a dry run");
    ok($s->wait_ticks(4), 'four ticks');
    is(join(' ', glob $s->path('work/told/*')), '', "$mpm: runs nothing");
    is(scalar(my @l = $s->log_lines(qr/AMGR00(?:28|29|30|31)/)), 0, 'nor tries to');
    ok($request->wait(30), 'the request ends');
    is($request->status, 200, 'with its answer');
    $s->stop_ok;
    return;
}

# Bytes of a client in the hands of a script.  httpd itself refuses control
# characters.
sub hostile_text {
    my ($mpm) = @_;
    my $s = server($mpm, 'hostile', sub {
        my $program = reporter($_[0]);
        return "ManagerKillCommand before $program\n"
            . "ManagerShowRequests Full\nHttpProtocolOptions Unsafe";
    });
    my ($request, $record) = hang($s, "&\xff\\`id`\$(id)");
    my $pid = $record->{pid} or return;
    my $env = report($s, 'before', $pid)->{environ};
    is($env->{AMGR_PID}, $pid, "$mpm: the pid is the worker's");
    is(scalar keys %$env, 11, 'no variable is added');
    my $text = $env->{AMGR_REQUEST};
    like($text, qr{^GET /app/sleep\?s=60&}, "$mpm: the request is all there");
    unlike($text, qr/[\x00-\x1f\x7f-\xff]/, 'without any byte that commands');
    like($text, qr/\\xff\\x5c`id`\$\(id\)/, 'but legible');
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: it is killed");
    ok($request->wait(30), 'the request ends');
    $s->stop_ok;
    return;
}

# More than may run at a time; then the ticker goes, and they go with it.
sub too_many {
    my ($mpm) = @_;
    my $sizes = $mpm eq 'prefork' ? <<'END' : <<'END2';
StartServers 14
MinSpareServers 2
MaxSpareServers 20
ServerLimit 24
MaxRequestWorkers 24
END
StartServers 12
ThreadsPerChild 3
ThreadLimit 3
MinSpareThreads 2
MaxSpareThreads 60
ServerLimit 24
MaxRequestWorkers 72
END2
    my $s = server($mpm, 'many', sub {
        my $program = reporter($_[0], 'if (fork == 0) { sleep 600 } sleep 600;');
        return "ManagerKillCommand before $program\n"
            . "ManagerKillCommandTimeout 5m\nManagerMaxRetiring 100%\n"
            . 'ManagerMinServing 0';
    }, mpm_config => $sizes);
    $s->expect_log(qr/AMGR0031: /);
    my @requests = map { $s->start_request('/app/sleep?s=15') }
        1 .. ($mpm eq 'prefork' ? 10 : 30);
    ok(wait_until(sub {
        8 == (my @told = grep { !/\.new$/ } glob $s->path('work/told/*'))
    }, 30, 'eight programs'), "$mpm: eight programs run");
    my $skipped = qr/AMGR0031: before command of worker \d+ is left out/;
    ok(wait_until(sub { 1 <= (my @l = $s->log_lines($skipped)) }, 30,
                  'one left out'), "$mpm: and no more");
    my @programs = children_of_ticker($s);
    is(scalar @programs, 8, 'eight processes');
    my @all = (@programs, map { $s->children($_) } @programs);
    ok(wait_until(sub {
        @all = (@programs, map { $s->children($_) } @programs);
        @all == 16;
    }, 30, 'what they start'), 'with what they started');
    # Ticks go on while both are read.
    my ($counted, $logged) = (0, 0);
    ok(wait_until(sub {
        ($counted, $logged) = (errors($s), 0);
        $logged = () = $s->log_lines($skipped);
        $counted == $logged;
    }, 30, 'as many as in the log'), "$mpm: counted")
        or diag("$counted counted, $logged logged");
    $s->graceful or return fail('graceful');
    ok(wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @all }, 30,
                  'their end'), "$mpm: a restart ends them all");
    is(scalar(my @l = $s->log_lines(qr/AMGR0011: .* ended by itself/)), 0,
       'in good order');
    ok(!(grep { !$_->wait(30) } @requests), 'the requests end');
    $s->stop_ok;
    return;
}

# No program outlives the ticker, however that ends, nor the server.
sub leash {
    my ($mpm) = @_;
    my $s = server($mpm, 'leash', sub {
        my $program = reporter($_[0], 'sleep 600;');
        return "ManagerKillCommand before $program\n"
            . "ManagerKillCommandTimeout 5m\nManagerMaxRetiring 100%";
    });
    $s->expect_log(qr/AMGR0011: ticker \d+ ended by itself/);
    my ($request, $record) = hang($s);
    my $pid = $record->{pid} or return;
    report($s, 'before', $pid);
    my $ticker = $s->ticker_pid;
    my ($program) = children_of_ticker($s);
    ok($program, "$mpm: a program");
    kill 'KILL', $ticker;
    AMGR::Case::Retire::gone($s, $program, 30, "$mpm: it goes with its ticker");
    ok(wait_until(sub { ($s->ticker_pid // $ticker) != $ticker }, 30,
                  'the next one'), 'another takes over');
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: and sees it through");
    ok($request->wait(30), 'the request ends');

    ($request, $record) = hang($s);
    report($s, 'before', $record->{pid} // return);
    ($program) = children_of_ticker($s);
    ok($program && AMGR::Httpd::is_alive($program), "$mpm: another program");
    $s->stop_ok;
    AMGR::Case::Retire::gone($s, $program, 30, "$mpm: it goes with the server");
    return;
}

1;
