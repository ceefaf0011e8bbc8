#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The shipped Zabbix templates hold together: what is there is used, nothing is
# there twice, and each key that an agent is asked for is one of the user
# parameters.  Their form and references are zabbix-export.t's matter, whether
# they get values t/httpd/830-zabbix-*.t's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp files);
use AMGR::Zabbix qw(load_template all_items prototypes all_triggers
                    preprocessing);
use JSON::PP ();
use Test::More;

# Zabbix's own, of the group that all templates of applications are in.
use constant GROUP_UUID => 'a571c0d144b14fd4a87a9d9b2aa9fcd6';

my (%uuids, @templates);
for my $file (files(qr/\.yaml$/, 'conf/zabbix')) {
    my $template = load_template($file);
    push @templates, $template;
    is_deeply([not_texts($template->{export})], [],
              "$file: each value is a text");
    collect_uuids($template->{export}, $file);
    keys_ok($template);
    parts_ok($template);
    macros_ok($template);
    valuemaps_ok($template);
    cmp_ok(scalar(my @triggers = all_triggers($template)), ">=", 10,
           "$file: triggers");
}
is(scalar @templates, 2, 'two templates');
is_deeply([grep { $uuids{$_} > 1 && $_ ne GROUP_UUID } sort keys %uuids], [],
          'no uuid is there twice');
user_parameters_ok($templates[0]);
done_testing();

# Where a value is no text: true, a number, nothing.
sub not_texts {
    my ($node, $path) = @_;
    $path //= '';
    if (ref $node eq 'HASH') {
        return map { not_texts($node->{$_}, "$path/$_") } sort keys %$node;
    }
    if (ref $node eq 'ARRAY') {
        return map { not_texts($node->[$_], "$path/$_") } 0 .. $#$node;
    }
    return if defined $node && !ref $node && JSON::PP->new->allow_nonref
        ->encode($node) =~ /^"/;
    return $path;
}

sub collect_uuids {
    my ($node, $file) = @_;
    if (ref $node eq 'ARRAY') {
        collect_uuids($_, $file) for @$node;
        return;
    }
    return unless ref $node eq 'HASH';
    collect_uuids($_, $file) for values %$node;
    if (exists $node->{uuid}) {
        $uuids{ $node->{uuid} }++;
        like($node->{uuid}, qr/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/,
             "$file: uuid of " . ($node->{name} // '?'));
    }
    return;
}

sub keys_ok {
    my ($template) = @_;
    my %seen;
    for my $item (all_items($template), prototypes($template),
                  @{ $template->{discovery_rules} }) {
        ok(!$seen{key}{ $item->{key} }++, "key $item->{key} once");
        ok(!$seen{name}{ $item->{name} }++, "name $item->{name} once");
        like($item->{name}, qr/^Apache Manager: /, "$item->{key}: its name");
        ok($item->{description}, "$item->{key} says what it is");
    }
    my %name;
    ok(!$name{ $_->{name} }++, "trigger $_->{name} once")
        for all_triggers($template);
    return;
}

# A part of status.json is one path or script.
sub parts_ok {
    my ($template) = @_;
    for my $item (grep { $_->{master_item} } all_items($template),
                  prototypes($template), @{ $template->{discovery_rules} }) {
        cmp_ok(scalar(my @paths = (preprocessing($item, 'JSONPATH'),
                                   preprocessing($item, 'JAVASCRIPT'))),
               '==', 1, "$item->{key}: one part of it");
    }
    return;
}

sub macros_ok {
    my ($template) = @_;
    my %said = map { $_->{macro} => $_ } @{ $template->{macros} };
    local $template->{macros} = undef;
    local $template->{export}{templates}[0]{macros} = undef;
    my $text = JSON::PP->new->canonical->encode($template->{export});
    my %used = map { ("{\$$_}" => 1) } $text =~ /\{\$([A-Z.]+)[:}]/g;
    is_deeply([sort keys %said], [sort keys %used],
              "$template->{file}: macros are those that are used");
    ok($said{$_}{description} && length $said{$_}{value}, "$_ is explained")
        for sort keys %said;
    return;
}

sub valuemaps_ok {
    my ($template) = @_;
    my %used = map { $_->{valuemap}{name} => 1 }
        grep { $_->{valuemap} } all_items($template);
    is_deeply([sort map { $_->{name} } @{ $template->{valuemaps} }],
              [sort keys %used], "$template->{file}: value maps");
    return;
}

sub user_parameters_ok {
    my ($template) = @_;
    my $text = slurp('conf/zabbix/userparameter_apache_manager.conf');
    my @lines = grep { /^[^#]/ } split /\n/, $text;
    my %key;
    for my $line (@lines) {
        my ($name, $flexible) =
            $line =~ /^UserParameter=([a-z.-]+)(\[\*\])?,/;
        ok($name, "a key: $line") or next;
        $key{$name}++;
        my @paths = $line =~ m{(/run/apache2/apache-manager\.txt)}g;
        is(scalar @paths, 1, "$name: the file, once");
        # Without [*] nothing is replaced; with it awk's own needs two.
        unlike($line, $flexible ? qr/(?<!['\$])\$\d/ : qr/\$\$/, "$name: its dollars");
    }
    my @asked = grep { !$_->{type} } all_items($template),
        prototypes($template), @{ $template->{discovery_rules} };
    my %used;
    for my $item (@asked) {
        my ($name) = $item->{key} =~ /^([^\[]+)/;
        ok($key{$name}, "$item->{key} is a user parameter");
        $used{$name} = 1;
    }
    is_deeply([sort keys %used], [sort keys %key], 'each of them is asked for');
    return;
}
