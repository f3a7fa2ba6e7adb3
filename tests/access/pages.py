"""Who may open which page of the portal: one line per address and kind of row.

Statuses of a GET; "in" is the way to the sign-in. `a/b`: a for a row of the person's scope, b for a foreign one (of
the city's other school for people of a school, of another authority's for the others); head, auditor and system
administrator see all schools. {foreign} is the number of the foreign school.
"""

PAGES = """
# address                                 row               -   staff   coord   clerk   approv  head supp    audit admin
summaries:start                           -                 in  200     200     200     200     302  200     302   200
summaries:summary                         -                 in  403     403     200     200     200  403     200   403
summaries:budget                          budget            in  403     403     200     200     200  403     200   403
core:accessibility                        -                 200 200     200     200     200     200  200     200   200
core:privacy                              -                 200 200     200     200     200     200  200     200   200
core:contact                              -                 200 200     200     200     200     200  200     200   200
core:live                                 -                 200 200     200     200     200     200  200     200   200
core:ready                                -                 503 503     503     503     503     503  503     503   503
core:jobs                                 -                 in  403     403     200     200     403  403     200   200
core:run_job                              -                 in  403     403     403     403     403  403     403   302
account_login                             -                 200 302     302     302     302     302  302     302   302
account_logout                            -                 in  200     200     200     200     200  200     200   200
account_inactive                          -                 200 200     200     200     200     200  200     200   200
account_signup                            -                 200 302     302     302     302     302  302     302   302
account_reauthenticate                    -                 in  200     200     200     200     200  200     200   200
account_change_password                   -                 in  200     200     200     200     200  200     200   200
account_set_password                      -                 in  302     302     302     302     302  302     302   302
account_reset_password                    -                 200 200     200     200     200     200  200     200   200
account_reset_password_from_key_done      -                 200 200     200     200     200     200  200     200   200
account_reset_password_from_key           -                 200 200     200     200     200     200  200     200   200
account_reset_password_done               -                 200 200     200     200     200     200  200     200   200
schools:list                              -                 in  200     200     200     200     200  200     200   200
schools:list?export=csv                   -                 in  200     200     200     200     200  200     200   200
schools:list?export=xlsx                  -                 in  200     200     200     200     200  200     200   200
schools:list?q=schule                     -                 in  200     200     200     200     200  200     200   200
schools:suggest                           -                 in  200     200     200     200     200  200     200   200
schools:network                           -                 in  403     403     200     200     200  200     200   200
schools:network?export=csv                -                 in  403     403     200     200     200  200     200   200
schools:network?export=xlsx               -                 in  403     403     200     200     200  200     200   200
schools:network?day={today}               -                 in  403     403     200     200     200  200     200   200
schools:detail                            school            in  200/404 200/404 200/404 200/404 200  200/404 200   200
inventory:list                            -                 in  403     200     200     200     200  200     200   200
inventory:list?export=csv                 -                 in  403     200     200     200     200  200     200   200
inventory:list?export=xlsx                -                 in  403     200     200     200     200  200     200   200
inventory:list?school={foreign}           -                 in  403     200     200     200     200  200     200   200
inventory:list?day={today}                -                 in  403     200     200     200     200  200     200   200
inventory:list?day={month_ago}&export=csv -                 in  403     200     200     200     200  200     200   200
inventory:add                             -                 in  403     200     200     200     403  200     403   403
inventory:add?school={foreign}            -                 in  403     200     200     200     403  200     403   403
inventory:labels                          -                 in  403     200     200     200     403  200     403   403
inventory:labels?school={foreign}         -                 in  403     200     200     200     403  200     403   403
inventory:labels                          device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:detail                          device            in  403     200/404 200/404 200/404 200  200/404 200   200
inventory:detail                          device_in_depot   in  403     404     200     200     200  200     200   200
inventory:detail                          device_moved      in  403     200     200     200     200  200     200   200
inventory:move                            device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:repaired                        device_in_repair  in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:returned                        device_on_loan    in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:repair                          device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:lend                            device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:stock                           device            in  403     403     200/404 200/404 403  200/404 403   403
inventory:lost                            device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:stolen                          device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:retire                          device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:disposal                        device_retired    in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:attach                          device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:condition                       device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:binding                         device            in  403     403     200/404 200/404 403  403     403   403
inventory:attachment                      attachment        in  403     200/404 200/404 200/404 200  200/404 200   200
inventory:remove_attachment               attachment        in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:ownership                       device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:kind                            device            in  403     403     200/404 200/404 403  200/404 403   403
inventory:edit                            device            in  403     200/404 200/404 200/404 403  200/404 403   403
inventory:short                           device            in  403     302/404 302/404 302/404 302  302/404 302   302
quotas:overview                           -                 in  403     200     200     200     200  200     200   200
quotas:overview?export=csv                -                 in  403     200     200     200     200  200     200   200
quotas:overview?export=xlsx               -                 in  403     200     200     200     200  200     200   200
quotas:overview?at=2&school_type=02       -                 in  403     200     200     200     200  200     200   200
funding:list                              -                 in  403     200     200     200     200  403     200   403
funding:list?export=csv                   -                 in  403     200     200     200     200  403     200   403
funding:list?export=xlsx                  -                 in  403     200     200     200     200  403     200   403
funding:list?school={foreign}             -                 in  403     200     200     200     200  403     200   403
funding:create                            -                 in  403     200     403     403     403  403     403   403
funding:create?school={foreign}           -                 in  403     404     403     403     403  403     403   403
funding:detail                            draft             in  403     200/404 404     404     404  403     200   403
funding:detail                            submitted         in  403     200/404 200/404 200/404 200  403     200   403
funding:detail                            approved          in  403     200/404 200/404 200/404 200  403     200   403
funding:edit                              draft             in  403     200/404 403     403     403  403     403   403
funding:edit                              returned          in  403     200/404 403     403     403  403     403   403
funding:submit                            draft             in  403     302/404 403     403     403  403     403   403
funding:withdraw                          submitted         in  403     200/404 403     403     403  403     403   403
funding:answer                            returned          in  403     200/404 403     403     403  403     403   403
funding:discard                           draft             in  403     200/404 403     403     403  403     403   403
tickets:list                              -                 in  200     200     200     200     200  200     200   403
tickets:list?export=csv                   -                 in  200     200     200     200     200  200     200   403
tickets:list?export=xlsx                  -                 in  200     200     200     200     200  200     200   403
tickets:list?school={foreign}             -                 in  200     200     200     200     200  200     200   403
tickets:create                            -                 in  200     200     200     200     403  200     403   403
tickets:create?school={foreign}           -                 in  200     200     200     200     403  200     403   403
tickets:detail                            ticket            in  200/404 200/404 200/404 200/404 200  200/404 200   403
tickets:detail                            colleagues_ticket in  404     200     200     200     200  200     200   403
tickets:action                            ticket            in  302/404 302/404 302/404 302/404 302  302/404 302   403
set_language                              -                 302 302     302     302     302     302  302     302   302
"""
