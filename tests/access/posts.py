"""Who may send what: one line per thing that can be sent in the portal, in the shape of `pages`.

Statuses of a POST with good data; "+" says that something was written, without it nothing may be. The label behind "#"
is the verb, or what is wrong: `away` and `foreign_device` name something foreign in the data.
"""

POSTS = """
# address                        row               -    staff    coord    clerk    approv   head supp     audit admin
core:contact                     -                 302+ 302+     302+     302+     302+     302+ 302+     302+  302+
core:run_job                     -                 in   403      403      403      403      403  403      403   302+
set_language                     -                 302  302      302      302      302      302  302      302   302
account_login                    -                 302+ 302      302      302      302      302  302      302   302
account_logout                   -                 in   in       in       in       in       in   in       in    in
account_signup                   -                 200  302      302      302      302      302  302      302   302
account_reauthenticate           -                 in   302      302      302      302      302  302      302   302
account_change_password          -                 in   302+     302+     302+     302+     302+ 302+     302+  302+
account_set_password             -                 in   302      302      302      302      302  302      302   302
account_reset_password           -                 302+ 302+     302+     302+     302+     302+ 302+     302+  302+
account_reset_password_from_key  -                 200  200      200      200      200      200  200      200   200
inventory:add                    school            in   403      302+/200 302+/200 302+/200 403  302+/200 403   403
inventory:add#kit                school            in   403      302+/200 302+/200 302+/200 403  302+/200 403   403
inventory:add#depot              -                 in   403      200      302+     302+     403  302+     403   403
inventory:scan_start             school            in   403      302+/200 302+/200 302+/200 403  302+/200 403   403
inventory:scan_start#depot       -                 in   403      200      302+     302+     403  302+     403   403
inventory:scan                   scan              in   403      200+/404 200+/404 200+/404 403  200+/404 403   403
inventory:scan_change            scan              in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:scan_change#away       scan              in   403      200/404  200/404  200/404  403  200/404  403   403
inventory:scan_remove            scan              in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:scan_take_in           scan              in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:scan_cancel            scan              in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:move                   device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:move#away              device            in   403      200/404  200/404  200/404  403  200/404  403   403
inventory:move                   device_in_depot   in   403      404      302+     302+     403  302+     403   403
inventory:repaired               device_in_repair  in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:returned               device_on_loan    in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:repair                 device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:lend                   device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:lost                   device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:stolen                 device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:retire                 device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:disposal               device_retired    in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:attach                 device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:condition              device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:binding                device            in   403      403      302+/404 302+/404 403  403      403   403
inventory:remove_attachment      attachment        in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:ownership              device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:edit                   device            in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:stock                  device            in   403      403      302+/404 302+/404 403  302+/404 403   403
inventory:kind                   device            in   403      403      302+/404 302+/404 403  302+/404 403   403
inventory:labels                 device            in   403      200/404  200/404  200/404  403  200/404  403   403
inventory:stocktake_start        -                 in   403      200      302+     302+     403  302+     403   403
inventory:stocktake_scan         stocktake         in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:stocktake_scan#script  stocktake         in   403      200+/404 200+/404 200+/404 403  200+/404 403   403
inventory:stocktake_settle#reported_lost stocktake in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:stocktake_settle#moved_here stocktake    in   403      302/404  302+/404 302+/404 403  302+/404 403   403
inventory:stocktake_close        stocktake         in   403      302/404  302/404  302/404  403  302/404  403   403
inventory:stocktake_cancel       stocktake         in   403      302+/404 302+/404 302+/404 403  302+/404 403   403
inventory:list#keep?q=wort       -                 in   403      302+     302+     302+     302+ 302+     302+  302+
inventory:bulk                   device            in   403      302+/302 302+/302 302+/302 403  302+/302 403   403
inventory:bulk#all               -                 in   403      302+     302+     302+     403  302+     403   403
inventory:bulk_change            bulk_change       in   403      404      302+     404      403  404      403   403
inventory:bulk_change#confirm    bulk_change_shown in   403      404      302+     404      403  404      403   403
funding:list#keep?q=wort         -                 in   403      302+     302+     302+     302+ 403      302+  403
funding:create                   school            in   403      302+/404 403      403      403  403      403   403
funding:create#replacing         school            in   403      422/404  403      403      403  403      403   403
funding:edit                     draft             in   403      302+/404 403      403      403  403      403   403
funding:edit#replacing           draft             in   403      422/404  403      403      403  403      403   403
funding:edit                     returned          in   403      302+/404 403      403      403  403      403   403
funding:edit                     submitted         in   403      422/404  403      403      403  403      403   403
funding:submit                   draft             in   403      302+/404 403      403      403  403      403   403
funding:withdraw                 submitted         in   403      302+/404 403      403      403  403      403   403
funding:answer                   returned          in   403      302+/404 403      403      403  403      403   403
funding:discard                  draft             in   403      302+/404 403      403      403  403      403   403
funding:discard                  submitted         in   403      302/404  403      403      403  403      403   403
tickets:list#keep?q=wort         -                 in   302+     302+     302+     302+     302+ 302+     302+  403
tickets:create                   school            in   302+/200 302+/200 302+/200 302+/200 403  302+/200 403   403
tickets:create#foreign_device    school            in   200      200      200      200      403  200      403   403
tickets:action#accept            ticket            in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#ask_reporter      ticket            in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#solve             ticket            in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#hand_over         ticket            in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#note              ticket            in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#wait_for_supplier ticket_accepted   in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#resume            ticket_asked      in   403/404  403/404  302+/404 302+/404 403  302+/404 403   403
tickets:action#withdraw          ticket            in   302+/404 302+/404 302+/404 302+/404 403  302+/404 403   403
tickets:action#answer            ticket_asked      in   302+/404 302+/404 302+/404 302+/404 403  302+/404 403   403
tickets:action#reopen            ticket_solved     in   302+/404 302+/404 302+/404 302+/404 403  302+/404 403   403
tickets:action#close             ticket_solved     in   302+/404 302+/404 302+/404 302+/404 403  302+/404 403   403
tickets:action#answer            colleagues_ticket in   404      302+     302+     302+     403  302+     403   403
tickets:action#no_such_verb      ticket            in   404      404      404      404      404  404      404   403
"""
